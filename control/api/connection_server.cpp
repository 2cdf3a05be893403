// Model: equal threads run one loop. The thread that accepts a connection begins the next wait and then serves its
// connection, so a connection wakes one thread, and with all threads busy nobody accepts.
// Invariant: the list owns the connections. They are removed and closed under the mutex, so a cut never hits a
// descriptor number that was reused.
#include "control/api/connection_server.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cerrno>
#include <list>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "control/state/quiet_thread.hpp"

namespace gray::control {
namespace {

constexpr Duration kRetryAccept{100};  // while the process is out of descriptors: no event reports a free one

using Connections = std::list<UniqueFd>;

}  // namespace

struct ConnectionServer::Impl {
  Impl(int listening, Limits the_limits, Serve the_serve, std::function<void()> when_ended)
      : limits(the_limits), serve(std::move(the_serve)), on_ended(std::move(when_ended)), listener(io), retry(io) {
    // Another process may accept from the same socket; the slower one must not block in accept4().
    ::fcntl(listening, F_SETFL, ::fcntl(listening, F_GETFL) | O_NONBLOCK);
    listener.assign(listening);
    await();
    try {
      for (std::size_t i = 0; i < limits.threads; ++i) {
        ++running;
        threads.push_back(quiet_thread([this] { run(); }));
      }
    } catch (...) {
      leave();
      throw;
    }
  }

  ~Impl() { leave(); }

  void leave() {
    end();
    for (auto& thread : threads) thread.join();
    listener.release();
  }

  void end() {
    {
      std::lock_guard guard(mutex);
      if (std::exchange(ending, true)) return;
      listener.cancel();
      retry.cancel();
    }
    cut_off.set(Clock::now() + kGracePeriod);
  }

  void cut() {
    std::lock_guard guard(mutex);
    cutting = true;
    for (const auto& connection : connections) shut_down(connection);
  }

  void run() {
    io.run();
    if (--running == 0) on_ended();
  }

  void await() {
    listener.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code error) {
      if (!error) accept();
    });
  }

  void accept() {
    std::unique_lock lock(mutex);
    if (ending) return;
    UniqueFd accepted(::accept4(listener.native_handle(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) return accept_later();
    await();
    if (!accepted) return;
    const auto connection = enter(std::move(accepted));
    lock.unlock();
    serve(connection->get(), cut_off);
    lock.lock();
    connections.erase(connection);
  }

  void accept_later() {
    retry.expires_after(kRetryAccept);
    retry.async_wait([this](std::error_code error) {
      std::lock_guard guard(mutex);
      if (!error && !ending) await();
    });
  }

  Connections::iterator enter(UniqueFd connection) {
    const auto entered = connections.insert(connections.end(), std::move(connection));
    if (cutting) shut_down(*entered);
    if (limits.oldest_makes_room && connections.size() == limits.threads) shut_down(connections.front());
    return entered;
  }

  /// Wakes the thread of the connection, which then finds it closed.
  static void shut_down(const UniqueFd& connection) { ::shutdown(connection.get(), SHUT_RDWR); }

  const Limits limits;
  const Serve serve;
  const std::function<void()> on_ended;
  CutOff cut_off;
  asio::io_context io;
  std::mutex mutex;  // of the next five; handlers of `io` run on all threads
  asio::posix::stream_descriptor listener;
  asio::steady_timer retry;
  Connections connections;  // oldest first
  bool ending = false;
  bool cutting = false;
  std::atomic<std::size_t> running{0};
  std::vector<std::thread> threads;
};

ConnectionServer::ConnectionServer(int listener, Limits limits, Serve serve, std::function<void()> ended)
    : impl_(std::make_unique<Impl>(listener, limits, std::move(serve), std::move(ended))) {}
ConnectionServer::~ConnectionServer() = default;
void ConnectionServer::end() { impl_->end(); }
void ConnectionServer::cut() { impl_->cut(); }
bool ConnectionServer::ended() const { return impl_->running == 0; }

}  // namespace gray::control
