#include "grayd/handoff/exec_image.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "config/base/exit_code.hpp"

namespace gray::master {
namespace {

std::vector<char*> argv_of(std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return argv;
}

/// Async-signal-safe, because a crash handler calls it.
void set_close_on_exec(const int* fds, std::size_t count, bool close) {
  for (std::size_t i = 0; i < count; ++i) ::fcntl(fds[i], F_SETFD, close ? FD_CLOEXEC : 0);
}

constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};

/// The data that signal handlers use. Written before the handlers are set.
struct CrashData {
  int program = -1;
  std::vector<int> fds;
  std::vector<char*> argv;  // the last but one is the reason
};
CrashData crash_data;

[[noreturn]] void go_back(const char* reason) {
  ::alarm(0);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  set_close_on_exec(crash_data.fds.data(), crash_data.fds.size(), false);
  crash_data.argv[crash_data.argv.size() - 2] = const_cast<char*>(reason);
  ::fexecve(crash_data.program, crash_data.argv.data(), environ);
  constexpr char kLost[] = "grayd: the old program cannot be started again; grayd ends\n";
  (void)!::write(STDERR_FILENO, kLost, sizeof kLost - 1);
  ::_exit(static_cast<int>(ExitCode::failed));
}

void on_crash(int signal) {
  switch (signal) {
    case SIGALRM: go_back("it did not read the state within 30 s");
    case SIGABRT: go_back("it aborted (signal 6) while it read the state");
    default: go_back("it crashed (a memory or arithmetic fault) while it read the state");
  }
}

void set_crash_handlers(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  sigset_t crashes;
  ::sigemptyset(&crashes);
  for (const int signal : kCrashes) {
    ::sigaction(signal, &action, nullptr);
    ::sigaddset(&crashes, signal);
  }
  ::sigprocmask(handler == SIG_DFL ? SIG_BLOCK : SIG_UNBLOCK, &crashes, nullptr);
}

}  // namespace

int exec_image(int program, std::vector<std::string> arguments, const std::set<int>& inherited) {
  const std::vector<int> fds(inherited.begin(), inherited.end());
  const auto argv = argv_of(arguments);
  set_close_on_exec(fds.data(), fds.size(), false);
  ::fexecve(program, argv.data(), environ);
  const int cause = errno;
  set_close_on_exec(fds.data(), fds.size(), true);
  return cause;
}

Fallback::Fallback(int program, std::vector<std::string> arguments, std::set<int> inherited)
    : arguments_(std::move(arguments)) {
  arguments_.emplace_back();
  crash_data = {program, {inherited.begin(), inherited.end()}, argv_of(arguments_)};
  set_crash_handlers(on_crash);
  ::alarm(kLimit);
}

Fallback::~Fallback() {
  ::alarm(0);
  set_crash_handlers(SIG_DFL);
}

void Fallback::go(const std::string& reason) const { go_back(reason.c_str()); }

}  // namespace gray::master
