// Model: eight equal threads, each accepting and serving one connection at a time; the kernel's backlog is the queue.
#include "control/api/admin_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "control/api/admin_api.hpp"
#include "control/state/quiet_thread.hpp"

namespace gray::control {
namespace {

constexpr std::size_t kThreads = 8;
constexpr int kSeats = 4;  // of these threads, for callers who wait for something to happen: the rest stays free
constexpr Duration kFarewell{1'000};  // for calls in progress when the server ends
constexpr int kRetryAcceptMs = 100;   // while the process is out of descriptors

}  // namespace

struct AdminServer::Impl {
  Impl(int listening, Daemon& daemon) : listener(listening), stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!stop) throw std::system_error(errno, std::generic_category(), "eventfd of the admin server");
    // Two threads may wake for one connection; the one that comes second must not block in accept4().
    ::fcntl(listener, F_SETFL, ::fcntl(listener, F_GETFL) | O_NONBLOCK);
    for (auto& thread : threads) thread = quiet_thread([this, &daemon] { run(daemon); });
  }

  ~Impl() {
    end();
    for (auto& thread : threads) thread.join();
  }

  void end() {
    if (std::exchange(ending, true)) return;
    cut_off.set(Clock::now() + kFarewell);
    ::eventfd_write(stop.get(), 1);
  }

  void run(Daemon& daemon) {
    AdminApi api(daemon, cut_off, seats);
    while (!stopped(-1, POLLIN)) {
      UniqueFd connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      if (connection)
        api.serve(std::move(connection));
      else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        stopped(kRetryAcceptMs, 0);
    }
    --running;
  }

  /// Waits for the end, or for `events` of the listener, or for `milliseconds` (-1: for ever); true at the end.
  bool stopped(int milliseconds, short events) {
    pollfd entries[] = {{stop.get(), POLLIN, 0}, {listener, events, 0}};
    ::poll(entries, 2, milliseconds);
    return entries[0].revents != 0;
  }

  int listener;
  UniqueFd stop;  // readable once the threads shall end, and then for ever
  CutOff cut_off;
  Seats seats{kSeats};
  bool ending = false;
  std::atomic<std::size_t> running{kThreads};
  std::array<std::thread, kThreads> threads;
};

AdminServer::AdminServer(int listener, Daemon& daemon) : impl_(std::make_unique<Impl>(listener, daemon)) {}
AdminServer::~AdminServer() = default;
void AdminServer::end() { impl_->end(); }
bool AdminServer::ended() const { return impl_->running == 0; }

}  // namespace gray::control
