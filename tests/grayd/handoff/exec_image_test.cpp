#include "grayd/handoff/exec_image.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>

#include "config/base/unique_fd.hpp"
#include "grayd/process/inherited_signals.hpp"

using namespace gray;
using namespace gray::master;

namespace {

UniqueFd shell() { return UniqueFd(::open("/bin/sh", O_PATH | O_CLOEXEC)); }

bool close_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

/// Runs this in a child; returns the exit code of the child, and what it wrote to `out`.
int in_child(const std::function<void(int out)>& what, std::string& said) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    what(ends[1]);
    ::_exit(99);
  }
  ::close(ends[1]);
  char chunk[512];
  for (ssize_t got = 0; (got = ::read(ends[0], chunk, sizeof chunk)) > 0;) said.append(chunk, got);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// The previous image after a fallback: it writes its reason to the named descriptor.
std::vector<std::string> back_to(int out) {
  return {"sh", "-c", "echo \"$2\" >&$1; exit 7", "sh", std::to_string(out)};
}

}  // namespace

TEST_CASE("the named descriptors are inherited, and no other") {
  std::string said;
  const int code = in_child(
      [](int out) {
        const UniqueFd program = shell(), hidden(::dup(out));
        ::fcntl(hidden.get(), F_SETFD, FD_CLOEXEC);
        const auto script = "echo here >&" + std::to_string(out) + "; test -e /proc/self/fd/" +
                            std::to_string(hidden.get()) + " && exit 1; exit 5";
        exec_image(program.get(), {"sh", "-c", script}, {out});
      },
      said);
  CHECK(code == 5);
  CHECK(said == "here\n");
}

TEST_CASE("a failed exec changes nothing") {
  const UniqueFd program(::open("/etc/passwd", O_PATH | O_CLOEXEC)), other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(exec_image(program.get(), {"x"}, {other.get()}) == EACCES);
  CHECK(close_on_exec(other.get()));
}

TEST_CASE("after an error the previous image is executed, with the reason, whatever the descriptor flags are") {
  std::string said;
  const int code = in_child(
      [](int out) {
        const SignalsHeld held;
        const UniqueFd program = shell();
        const Fallback fallback(program.get(), back_to(out), {out});
        ::fcntl(out, F_SETFD, FD_CLOEXEC);
        fallback.go("no good");
      },
      said);
  CHECK(code == 7);
  CHECK(said == "no good\n");
}

TEST_CASE("after a crash or a hang the previous image is executed") {
  for (const auto& [signal, reason] : {std::pair(SIGSEGV, "it crashed"), std::pair(SIGABRT, "it aborted"),
                                       std::pair(SIGALRM, "it did not read the state within 30 s")}) {
    CAPTURE(signal);
    std::string said;
    const int code = in_child(
        [number = signal](int out) {
          const SignalsHeld held;
          const UniqueFd program = shell();
          const Fallback fallback(program.get(), back_to(out), {out});
          ::raise(number);
        },
        said);
    CHECK(code == 7);
    CHECK(said.find(reason) == 0);
  }
}

TEST_CASE("after the destructor there is no fallback") {
  std::string said;
  const int code = in_child(
      [](int out) {
        const SignalsHeld held;
        const UniqueFd program = shell();
        {
          const Fallback fallback(program.get(), back_to(out), {out});
        }
        if (::alarm(0) != 0) ::_exit(1);
        ::signal(SIGABRT, SIG_DFL);
        release_signals();
        ::kill(::getpid(), SIGKILL);
      },
      said);
  CHECK(code == -SIGKILL);
  CHECK(said.empty());
}
