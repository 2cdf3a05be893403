// Model: one thread accepts, reads requests as they arrive, and decides which one is served next; the others serve.
// Everything except `serve` runs on the first thread, on `io`, so nothing is locked; the serving threads run `pool`.
// Invariant: the list `serving` owns the connections that are served. Only the first thread closes and cuts them, so a
// cut never hits a descriptor number that was reused.
#include "control/api/connection_server.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cerrno>
#include <deque>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "control/state/quiet_thread.hpp"

namespace gray::control {
namespace {

constexpr Duration kRetryAccept{100};  // while the process is out of descriptors: no event reports a free one

struct Served {
  UniqueFd connection;
  bool whole;
  bool cut = false;
  TimePoint since = Clock::now();
};

}  // namespace

struct ConnectionServer::Impl {
  using Request = Arrivals::Request;

  Impl(int listening, Limits the_limits, Arrivals::Judge judge, Serve the_serve, std::function<void()> when_ended)
      : limits(the_limits),
        serve(std::move(the_serve)),
        on_ended(std::move(when_ended)),
        listener(io),
        retry(io),
        room(io),
        grace(io),
        arrivals(
            io, limits.arrivals, std::move(judge), [this](Request request) { enter(std::move(request)); },
            [this] { settle(); }) {
    // Another process may accept from the same socket; the slower one must not block in accept4().
    ::fcntl(listening, F_SETFL, ::fcntl(listening, F_GETFL) | O_NONBLOCK);
    listener.assign(listening);
    await();
    try {
      start_thread(io);
      for (std::size_t i = 0; i < limits.threads; ++i) start_thread(pool);
    } catch (...) {
      leave();
      throw;
    }
  }

  ~Impl() { leave(); }

  void start_thread(asio::io_context& context) {
    ++running;
    try {
      threads.push_back(quiet_thread([this, &context] {
        context.run();
        if (--running == 0) on_ended();
      }));
    } catch (...) {
      --running;
      throw;
    }
  }

  void leave() {
    end();
    for (auto& thread : threads) thread.join();
    listener.release();
  }

  void end() {
    if (ended_once.exchange(true)) return;
    cut_off.set(Clock::now() + kGracePeriod);
    asio::post(io, [this] { begin_end(); });
  }

  void begin_end() {
    ending = true;
    listener.cancel();
    retry.cancel();
    grace.expires_at(cut_off.get());
    grace.async_wait([this](std::error_code error) {
      if (!error) arrivals.close_all();
    });
    finish();
  }

  void cut() {
    asio::post(io, [this] {
      if (finished) return;
      cutting = true;
      arrivals.close_all();
      for (auto& one : serving) shut_down(one);
    });
  }

  std::size_t waiting() const { return arrivals.count() + ready.size() + slow.size(); }

  /// Without connections all threads end: nothing is left to do on either context.
  void finish() {
    if (!ending || finished || waiting() + serving.size() > 0) return;
    finished = true;
    grace.cancel();
    room.cancel();
    io_work.reset();
    pool_work.reset();
  }

  void await() {
    listener.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code error) {
      if (!error) accept();
    });
  }

  void accept() {
    if (ending) return;
    if (!has_place()) return accept_later();
    UniqueFd accepted(::accept4(listener.native_handle(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) return accept_later();
    await();
    if (accepted) arrivals.add(std::move(accepted));
  }

  /// Makes one, if it must. A request that was read completely is never given up for another connection.
  bool has_place() {
    if (waiting() < limits.waiting || arrivals.close_oldest()) return true;
    if (!slow.empty()) slow.pop_front();
    return waiting() < limits.waiting;
  }

  void accept_later() {
    paused = true;
    retry.expires_after(kRetryAccept);
    retry.async_wait([this](std::error_code error) {
      if (!error) resume();
    });
  }

  void resume() {
    if (std::exchange(paused, false) && !ending) accept();
  }

  void enter(Request request) {
    (request.whole ? ready : slow).push_back(std::move(request));
    dispatch();
    settle();
  }

  /// There may be a place for another connection, or no connection at all.
  void settle() {
    finish();
    if (!paused || waiting() >= limits.waiting) return;
    retry.cancel();
    resume();
  }

  /// Requests that were not read completely first: only a part of the threads is for them.
  void dispatch() {
    while (serving.size() < limits.threads) {
      const auto busy = static_cast<std::size_t>(std::ranges::count(serving, false, &Served::whole));
      if (!slow.empty() && busy < std::max(limits.threads / 4, std::size_t{1}))
        begin(slow);
      else if (!ready.empty())
        begin(ready);
      else
        return;
    }
    make_room();
  }

  void begin(std::deque<Request>& queue) {
    auto request = std::move(queue.front());
    queue.pop_front();
    const auto one = serving.insert(serving.end(), {std::move(request.connection), request.whole});
    if (cutting) shut_down(*one);
    asio::post(pool, [this, one, received = std::move(request.received)]() mutable {
      serve(one->connection.get(), std::move(received), cut_off);
      asio::post(io, [this, one] { served(one); });
    });
  }

  void served(std::list<Served>::iterator one) {
    serving.erase(one);
    dispatch();
    settle();
  }

  /// Requests wait and all threads are busy: cuts the oldest, or looks again when it has had its time.
  void make_room() {
    if (limits.oldest_makes_room == Duration{0} || ready.empty() || serving.front().cut) return;
    const auto due = serving.front().since + limits.oldest_makes_room;
    if (Clock::now() >= due) return shut_down(serving.front());
    room.expires_at(due);
    room.async_wait([this](std::error_code error) {
      if (!error && serving.size() == limits.threads) make_room();
    });
  }

  /// Wakes the thread of the connection, which then finds it closed.
  static void shut_down(Served& one) {
    one.cut = true;
    ::shutdown(one.connection.get(), SHUT_RDWR);
  }

  const Limits limits;
  const Serve serve;
  const std::function<void()> on_ended;
  CutOff cut_off;
  asio::io_context io, pool;
  asio::executor_work_guard<asio::io_context::executor_type> io_work = asio::make_work_guard(io);
  asio::executor_work_guard<asio::io_context::executor_type> pool_work = asio::make_work_guard(pool);
  asio::posix::stream_descriptor listener;
  asio::steady_timer retry, room, grace;
  Arrivals arrivals;
  std::deque<Request> ready, slow;  // read completely, or not
  std::list<Served> serving;        // oldest first
  bool ending = false, finished = false, cutting = false, paused = false;
  std::atomic<bool> ended_once{false};
  std::atomic<std::size_t> running{0};
  std::vector<std::thread> threads;
};

ConnectionServer::ConnectionServer(int listener, Limits limits, Arrivals::Judge judge, Serve serve,
                                   std::function<void()> ended)
    : impl_(std::make_unique<Impl>(listener, limits, std::move(judge), std::move(serve), std::move(ended))) {}
ConnectionServer::~ConnectionServer() = default;
void ConnectionServer::end() { impl_->end(); }
void ConnectionServer::cut() { impl_->cut(); }
bool ConnectionServer::ended() const { return impl_->running == 0; }

}  // namespace gray::control
