#include <doctest/doctest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "config/base/time.hpp"
#include "supervisor/process/containment.hpp"
#include "supervisor/supervisor.hpp"
#include "tests/supervisor/process/leaver.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

/// A process with that instance in its environment, which ignores SIGTERM; killed and reaped at the end.
struct Leftover {
  pid_t pid = 0;
  explicit Leftover(const std::string& instance) {
    std::string mark = "GRAY_INSTANCE=" + instance, path = "PATH=/usr/bin:/bin";
    char sh[] = "sh", option[] = "-c", script[] = "trap '' TERM; echo; sleep 100; true";
    char* arguments[] = {sh, option, script, nullptr};
    char* environment[] = {mark.data(), path.data(), nullptr};
    int running[2] = {-1, -1};
    REQUIRE(::pipe2(running, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, running[1], STDOUT_FILENO);
    REQUIRE(::posix_spawn(&pid, "/bin/sh", &actions, nullptr, arguments, environment) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    char line = 0;  // the spawn returns before the kernel shows the environment of the new program
    CHECK(::read(running[0], &line, 1) == 1);
    for (const int fd : running) ::close(fd);
  }
  ~Leftover() {
    if (pid == 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  /// Waits for its end; returns the signal that ended it.
  int ended_by() {
    int status = 0;
    REQUIRE(::waitpid(std::exchange(pid, 0), &status, 0) > 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  bool alive() const { return ::waitpid(pid, nullptr, WNOHANG) == 0; }
};

}  // namespace

TEST_CASE("processes of the instance are killed, even if they ignore SIGTERM, and counted") {
  const std::string instance = fresh_instance();
  Leftover one(instance), two(instance);
  CHECK(sweep_leftovers(instance) >= 2);
  CHECK(one.ended_by() == SIGKILL);
  CHECK(two.ended_by() == SIGKILL);
}

TEST_CASE("processes of a different instance are not killed, even if its name begins the same way") {
  const std::string instance = fresh_instance();
  const Leftover other(instance + "-other");
  CHECK(sweep_leftovers(instance) == 0);
  CHECK(other.alive());
}

TEST_CASE("without leftovers a sweep finds nothing and does not wait") {
  const TimePoint before = Clock::now();
  CHECK(sweep_leftovers(fresh_instance()) == 0);
  CHECK(Clock::now() - before < Duration{2'000});
}

TEST_CASE("the workers of a dead master are killed by its instance, and no other process") {
  const std::string instance = fresh_instance();
  const Spawned mine = start_leaver(instance, nullptr), other = start_leaver(instance + "-other", nullptr);
  ProcessScan scan;
  CHECK(within(5s, [&] { return Containment(mine.pid, std::nullopt, instance, 5, scan).members().size() >= 2; }));
  CHECK(sweep_leftovers(instance) >= 2);
  CHECK(sweep_leftovers(instance) == 0);
  CHECK_FALSE(Containment(other.pid, std::nullopt, instance + "-other", 5, scan).empty());
  CHECK(sweep_leftovers(instance + "-other") >= 1);
  ::waitpid(mine.pid, nullptr, 0);
  ::waitpid(other.pid, nullptr, 0);
}
