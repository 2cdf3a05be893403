#include "router/process/stray_signals.hpp"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "config/base/log.hpp"

namespace gray::proxy {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

std::string_view purpose(int signal) {
  switch (signal) {
    case SIGHUP: return "; reload with: grayctl reload, or kill -HUP ";
    case SIGUSR1: return "; reopen the access log with: kill -USR1 ";
    case SIGTERM:
    case SIGINT: return "; stop grayd with: kill -TERM ";
    default: return "; grayd is ";
  }
}

}  // namespace

std::string stray_signal(int signal, pid_t sender, pid_t master) {
  if (sender <= 1 || sender == master) return {};
  return "router: SIG" + std::string(::sigabbrev_np(signal)) + " from pid " + std::to_string(sender) +
         " has no effect: the router does not act on signals" + std::string(purpose(signal)) + std::to_string(master);
}

StraySignals::StraySignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : kSignals) {
    ::sigaddset(&signals, signal);
    ::signal(signal, SIG_IGN);  // for a thread that does not block it; a blocked one is queued all the same
  }
  if (::pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) return;
  fd_ = UniqueFd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
}

void StraySignals::on_ready() {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
    const auto line = stray_signal(static_cast<int>(info.ssi_signo), static_cast<pid_t>(info.ssi_pid), ::getppid());
    if (!line.empty()) log(LogLevel::warn, line);
  }
}

}  // namespace gray::proxy
