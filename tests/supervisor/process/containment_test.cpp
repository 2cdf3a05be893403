#include "supervisor/process/containment.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/supervisor/process/leaver.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

void wait_for_end(pid_t pid) {
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
}

/// Runs `check(leader, containment, with_cgroup)` with a process that leaves its session, in a cgroup if there are any,
/// and without.
template <class Check>
void with_leaver(Check check) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  CgroupTree tree;
  ProcessScan scan;
  for (const bool with_cgroup : {true, false}) {
    if (with_cgroup && tree.path().empty()) continue;
    CAPTURE(with_cgroup);
    const std::string instance = fresh_instance();
    auto cgroup = with_cgroup ? tree.child("test") : std::nullopt;
    const Spawned leader = start_leaver(instance, cgroup ? &*cgroup : nullptr);
    const Containment all(leader.pid, std::move(cgroup), instance, 5, scan);
    check(leader, all, with_cgroup);
    all.dissolve();
  }
}

}  // namespace

TEST_CASE("a grandchild in its own session is found and killed, with a cgroup and without") {
  with_leaver([](const Spawned& leader, const Containment& all, bool) {
    wait_for_end(leader.pid);
    CHECK_FALSE(all.empty());
    CHECK_FALSE(all.members().empty());
    all.kill();
    CHECK(within(5s, [&] { return all.empty(); }));
    ::waitpid(leader.pid, nullptr, 0);
  });
}

TEST_CASE("a process belongs to a worker by session, by ancestors or by cgroup, not by its environment") {
  with_leaver([](const Spawned& leader, const Containment& all, bool with_cgroup) {
    CHECK(all.contains(leader.pid));
    pid_t grandchild = 0;  // in a session of its own
    CHECK(within(5s, [&] {
      for (const pid_t pid : all.members())
        if (::getsid(pid) == pid && pid != leader.pid) grandchild = pid;
      return grandchild != 0;
    }));
    CHECK(all.contains(grandchild));
    wait_for_end(leader.pid);
    CHECK(all.contains(leader.pid));  // it was not reaped yet
    CHECK(within(5s, [&] { return ::waitpid(leader.pid, nullptr, WNOHANG) == leader.pid; }));
    CHECK_FALSE(all.members().empty());
    CHECK(all.contains(grandchild) == with_cgroup);  // its parent is this process now
    for (const pid_t other : {::getpid(), pid_t{1}, pid_t{0}, pid_t{-1}}) CHECK_FALSE(all.contains(other));
    all.kill();
    CHECK(within(5s, [&] { return all.empty(); }));
  });
}

TEST_CASE("the group is what the stop signal reaches: no process of another session, and no leader that has ended") {
  with_leaver([](const Spawned& leader, const Containment& all, bool) {
    CHECK(within(5s, [&] { return !all.members().empty(); }));
    wait_for_end(leader.pid);
    CHECK(within(5s, [&] { return all.group().empty(); }));
    CHECK(all.rest_of_group().empty);
    CHECK_FALSE(all.rest_of_group().watch);
    CHECK_FALSE(all.rest().empty);
    CHECK(all.rest().watch);
    CHECK_FALSE(all.members().empty());
    all.kill();
    CHECK(within(5s, [&] { return all.empty(); }));
    ::waitpid(leader.pid, nullptr, 0);
  });
}

TEST_CASE("a stop signal reaches the whole group, a suspended one, and a process that is not a group yet") {
  const std::string instance = fresh_instance();
  const Spawned leader = start_leaver(instance, nullptr);
  ::kill(leader.pid, SIGSTOP);
  ProcessScan scan;
  const Containment all(leader.pid, std::nullopt, instance, 5, scan);
  all.signal(SIGTERM);
  int status = 0;
  CHECK(::waitpid(leader.pid, &status, 0) == leader.pid);
  CHECK(WTERMSIG(status) == SIGTERM);
  all.kill();
  CHECK(within(5s, [&] { return all.empty(); }));
}
