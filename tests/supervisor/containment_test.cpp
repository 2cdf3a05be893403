#include "supervisor/containment.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "config/base/time.hpp"
#include "supervisor/spawn.hpp"
#include "supervisor/supervisor.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

bool within(Duration limit, const std::function<bool()>& done) {
  for (const TimePoint end = Clock::now() + limit; Clock::now() < end; ::poll(nullptr, 0, 2))
    if (done()) return true;
  return done();
}

// A leader that leaves a grandchild in another session, deaf to SIGTERM, and ends.
Spawned start_leaver(const std::string& instance, const Cgroup* cgroup) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const UniqueFd procs = cgroup ? cgroup->open_procs() : UniqueFd();
  const SpawnPlan plan{{"/bin/sh"},
                       {"sh", "-c", "setsid sh -c 'trap \"\" TERM; sleep 100' & sleep 0.2"},
                       {"PATH=/usr/bin:/bin", "GRAY_INSTANCE=" + instance, "GRAY_GENERATION=5"},
                       "/",
                       {null.get(), null.get(), null.get()},
                       procs.get()};
  int error = 0;
  auto spawned = spawn(plan, error);
  REQUIRE(spawned);
  return std::move(*spawned);
}

void wait_for_end(pid_t pid) {
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
}

std::string fresh_instance() {
  return "test-" + std::to_string(::getpid()) + "-" + std::to_string(Clock::now().time_since_epoch().count());
}

}  // namespace

TEST_CASE("a grandchild in its own session is found and killed, with a cgroup and without") {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  CgroupTree tree;
  for (const bool with_cgroup : {true, false}) {
    if (with_cgroup && tree.path().empty()) continue;
    CAPTURE(with_cgroup);
    const std::string instance = fresh_instance();
    auto cgroup = with_cgroup ? tree.child("test") : std::nullopt;
    const Spawned leader = start_leaver(instance, cgroup ? &*cgroup : nullptr);
    const Containment all(leader.pid, std::move(cgroup), instance, 5);
    wait_for_end(leader.pid);
    CHECK_FALSE(all.empty());
    CHECK_FALSE(all.members().empty());
    all.kill();
    CHECK(within(5s, [&] { return all.empty(); }));
    ::waitpid(leader.pid, nullptr, 0);
    all.dissolve();
  }
}

TEST_CASE("a stop signal reaches the whole group, also a stopped one, and one that is not a group yet") {
  const std::string instance = fresh_instance();
  const Spawned leader = start_leaver(instance, nullptr);
  ::kill(leader.pid, SIGSTOP);
  const Containment all(leader.pid, std::nullopt, instance, 5);
  all.signal(SIGTERM);
  int status = 0;
  CHECK(::waitpid(leader.pid, &status, 0) == leader.pid);
  CHECK(WTERMSIG(status) == SIGTERM);
  all.kill();
  CHECK(within(5s, [&] { return all.empty(); }));
}

TEST_CASE("what a dead master left is swept by its instance, and nothing else") {
  const std::string instance = fresh_instance();
  const Spawned mine = start_leaver(instance, nullptr), other = start_leaver(instance + "-other", nullptr);
  CHECK(within(5s, [&] { return Containment(mine.pid, std::nullopt, instance, 5).members().size() >= 2; }));
  CHECK(sweep_leftovers(instance) >= 2);
  CHECK(sweep_leftovers(instance) == 0);
  CHECK_FALSE(Containment(other.pid, std::nullopt, instance + "-other", 5).empty());
  CHECK(sweep_leftovers(instance + "-other") >= 1);
  ::waitpid(mine.pid, nullptr, 0);
  ::waitpid(other.pid, nullptr, 0);
}
