// Model: equal threads. One of them at a time holds `accepting` and waits for the next connection; it releases
// `accepting` before it serves the connection. So a connection wakes one thread, and the list is in the order of
// arrival.
// Invariant: the list owns the connections. They are removed and closed under the mutex, so a cut never hits a
// descriptor number that was reused.
#include "control/api/connection_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "control/state/quiet_thread.hpp"

namespace gray::control {
namespace {

constexpr int kRetryAcceptMs = 100;  // while the process is out of descriptors: no event reports a free one

using Connections = std::list<UniqueFd>;

}  // namespace

struct ConnectionServer::Impl {
  Impl(int listening, Limits the_limits, Serve the_serve, std::function<void()> when_ended)
      : listener(listening), limits(the_limits), serve(std::move(the_serve)), on_ended(std::move(when_ended)) {
    // Another process may accept from the same socket; the slower one must not block in accept4().
    ::fcntl(listener, F_SETFL, ::fcntl(listener, F_GETFL) | O_NONBLOCK);
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
  }

  void end() {
    if (!std::exchange(ending, true)) cut_off.set(Clock::now() + kGracePeriod);
  }

  void cut() {
    std::lock_guard guard(mutex);
    cutting = true;
    for (const auto& connection : connections) shut_down(connection);
  }

  void run() {
    while (const auto connection = next()) {
      serve((*connection)->get(), cut_off);
      std::lock_guard guard(mutex);
      connections.erase(*connection);
    }
    if (--running == 0) on_ended();
  }

  /// Waits for a connection; nothing when the server ends.
  std::optional<Connections::iterator> next() {
    std::lock_guard turn(accepting);
    while (!ends(-1, POLLIN)) {
      UniqueFd connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      if (connection) return enter(std::move(connection));
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) ends(kRetryAcceptMs, 0);
    }
    return std::nullopt;
  }

  /// Waits for the end, or for `events` of the listener, or for `milliseconds` (-1: for ever); true at the end.
  bool ends(int milliseconds, short events) const {
    pollfd entries[] = {{cut_off.fd(), POLLIN, 0}, {listener, events, 0}};
    ::poll(entries, std::size(entries), milliseconds);
    return entries[0].revents != 0;
  }

  Connections::iterator enter(UniqueFd connection) {
    std::lock_guard guard(mutex);
    const auto entered = connections.insert(connections.end(), std::move(connection));
    if (cutting) shut_down(*entered);
    if (limits.oldest_makes_room && connections.size() == limits.threads) shut_down(connections.front());
    return entered;
  }

  /// Wakes the thread of the connection, which then finds it closed.
  static void shut_down(const UniqueFd& connection) { ::shutdown(connection.get(), SHUT_RDWR); }

  const int listener;
  const Limits limits;
  const Serve serve;
  const std::function<void()> on_ended;
  CutOff cut_off;
  bool ending = false;      // of the thread that owns the server
  std::mutex accepting;     // its holder waits for the next connection
  std::mutex mutex;         // of the next two
  Connections connections;  // oldest first
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
