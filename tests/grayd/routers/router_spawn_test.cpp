#include "grayd/routers/router_spawn.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <set>
#include <system_error>

#include "config/shared/channel.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

/// A program that writes its descriptors and arguments into `report`, and lives until its channel is written to or
/// closed.
RouterCommand reporting_command(const test::Folder& folder, const std::string& script) {
  const auto program = folder.path / "router";
  UniqueFd file(::open(program.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
  const auto text = "#!/bin/sh\n" + script + "\n";
  REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  RouterCommand command;
  command.program = program;
  return command;
}

int exit_status(const RouterChild& child) {
  int status = -1;
  REQUIRE(::waitpid(child.pid, &status, 0) == child.pid);
  return status;
}

}  // namespace

TEST_CASE("a router gets exactly the descriptors of its arguments, at the numbers it expects") {
  const test::Folder folder;
  auto command = reporting_command(folder,
                                   "cd /proc/$$/fd; for fd in *; do case $fd in 0|1|2) ;; *) [ -e $fd ] || "
                                   "[ -L $fd ] && echo $fd;; esac; done > " +
                                       (folder.path / "fds").string());
  const UniqueFd segment(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd first(::open("/dev/null", O_RDONLY | O_CLOEXEC)), second(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  command.segment = command.freed = segment.get();
  command.listeners = {first.get(), second.get()};
  CHECK(exit_status(spawn_router(command)) == 0);
  std::ifstream report(folder.path / "fds");
  std::set<int> fds;
  for (int fd = 0; report >> fd;) fds.insert(fd);
  for (const int expected : {3, 4, 6, 7, 8}) CHECK(fds.contains(expected));
  CHECK_FALSE(fds.contains(5));
}

TEST_CASE("a router leads its own process group and has no signal blocked or ignored") {
  const test::Folder folder;
  auto command = reporting_command(
      folder, "exec grep -E 'SigBlk|SigIgn' /proc/self/status > " + (folder.path / "signals").string());
  const UniqueFd segment(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  command.segment = command.freed = segment.get();
  sigset_t usr1, before;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &usr1, &before);
  const auto child = spawn_router(command);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  siginfo_t end{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child.pid), &end, WEXITED | WNOWAIT) == 0);
  CHECK(::getpgid(child.pid) == child.pid);  // a zombie still has its group
  CHECK(exit_status(child) == 0);
  std::ifstream report(folder.path / "signals");
  for (std::string name, mask; report >> name >> mask;) {
    CAPTURE(name);
    CHECK(mask.find_first_not_of('0') == std::string::npos);
  }
}

TEST_CASE("a program that cannot be run ends with 127, and its channel closes") {
  RouterCommand command;
  command.program = "/no/such/router";
  const UniqueFd segment(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  command.segment = command.freed = segment.get();
  const auto child = spawn_router(command);
  const int status = exit_status(child);
  CHECK(WEXITSTATUS(status) == 127);
  pollfd channel{child.channel.get(), POLLIN, 0};
  CHECK(::poll(&channel, 1, 5'000) == 1);
  ChannelMessage message;
  std::string error;
  CHECK(receive_message(child.channel.get(), message, error) == ChannelResult::closed);
}

TEST_CASE("a descriptor that is not open is an error, and no router is started") {
  RouterCommand command;
  CHECK_THROWS_AS(spawn_router(command), std::system_error);
}
