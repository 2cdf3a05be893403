#include "grayd/handoff/subprocess.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "config/base/exit_code.hpp"
#include "config/base/pidfd.hpp"
#include "grayd/process/inherited_signals.hpp"

namespace gray::master {
namespace {

constexpr std::size_t kPipe = 64 * 1024;  // the capacity of a pipe
constexpr int kAbove = 16;                // the lowest source descriptor, so that no dup2 overwrites one

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

UniqueFd copy_above(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, kAbove));
  if (!copy) fail("cannot copy a descriptor for a check");
  return copy;
}

/// Only async-signal-safe calls.
[[noreturn]] void exec_program(int null, int output, int program, char* const* argv) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  release_signals();
  const bool placed = ::dup2(null, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(output, 2) == 2 &&
                      ::dup2(program, Subprocess::kProgramFd) == Subprocess::kProgramFd;
  ::close_range(Subprocess::kProgramFd + 1, ~0u, 0);
  if (placed) ::fexecve(Subprocess::kProgramFd, argv, environ);
  const char* const why = ::strerrordesc_np(errno);
  constexpr char kWhat[] = "it cannot be executed: ";
  (void)!::write(2, kWhat, sizeof kWhat - 1);
  (void)!::write(2, why, std::strlen(why));
  ::_exit(127);
}

}  // namespace

std::string BriefEnd::text() const {
  auto end =
      WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status)) : fmt::format("exit {}", WEXITSTATUS(status));
  const auto first = said.find_first_not_of("\n ");
  if (first != std::string::npos)
    end += ": " + said.substr(first, std::min(said.find('\n', first) - first, std::size_t{300}));
  return end;
}

Subprocess::Subprocess(asio::io_context& io, int program, std::vector<std::string> arguments, Duration limit,
                       std::function<void(BriefEnd)> done)
    : done_(std::move(done)), pidfd_(io), output_(io), limit_(io, limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("cannot create a pipe for a check");
  UniqueFd ours(ends[0]), theirs(copy_above(UniqueFd(ends[1]).get()));
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  const auto itself = copy_above(program);
  const auto null = copy_above(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)).get());
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  {
    const SignalsHeld held;
    pid_ = ::fork();
    if (pid_ == 0) exec_program(null.get(), theirs.get(), itself.get(), argv.data());
  }
  if (pid_ < 0) fail("cannot start a check");
  ::setpgid(pid_, pid_);
  const int watched = ::pidfd_open(pid_, 0);
  if (watched < 0) {
    const int cause = errno;
    end_.overdue = true;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    errno = cause;
    fail("cannot watch a check");
  }
  pidfd_.assign(watched);
  output_.assign(ours.release());
  await_end();
  read();
  limit_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (error) return;
    end_.overdue = true;
    ::kill(-pid_, SIGKILL);
  }));
}

Subprocess::~Subprocess() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Subprocess::await_end() {
  pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, lifetime_.guard([this](std::error_code error) {
    if (!error) finish();
  }));
}

/// Reads at most the capacity of a pipe at once: a program that never stops writing must not block the loop.
void Subprocess::read() {
  char chunk[4096];
  ssize_t got = 1;
  for (std::size_t all = 0; all < kPipe && got > 0; all += sizeof chunk) {
    got = ::read(output_.native_handle(), chunk, sizeof chunk);
    const auto room = kMostSaid - end_.said.size();
    if (got > 0) end_.said.append(chunk, std::min(static_cast<std::size_t>(got), room));
  }
  if (got == 0 || (got < 0 && errno != EAGAIN)) return output_.close();
  output_.async_wait(asio::posix::stream_descriptor::wait_read, lifetime_.guard([this](std::error_code error) {
    if (!error) read();
  }));
}

/// A wait may end spuriously. Orphans of its group are our children (the master is their subreaper); all of them are
/// dead or being killed.
void Subprocess::finish() {
  if (::waitpid(pid_, &end_.status, WNOHANG) == 0) return await_end();
  ::kill(-pid_, SIGKILL);
  while (::waitpid(-pid_, nullptr, 0) > 0) {
  }
  pid_ = 0;
  if (output_.is_open()) read();
  limit_.cancel();
  auto done = std::move(done_);
  done(std::move(end_));
}

}  // namespace gray::master
