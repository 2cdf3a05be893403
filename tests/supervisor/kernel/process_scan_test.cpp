#include "supervisor/kernel/process_scan.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>

#include "supervisor/process/containment.hpp"
#include "tests/supervisor/process/leaver.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

/// Processes of several workers of one instance, without cgroups.
struct Leavers {
  ProcessScan scan;
  std::string instance = fresh_instance();
  std::vector<Spawned> leaders;

  explicit Leavers(int count) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int i = 0; i < count; ++i) leaders.push_back(start_leaver(instance, nullptr));
  }
  ~Leavers() {
    for (const Spawned& leader : leaders) of(leader).kill();
    CHECK(within(5s, [&] { return of(leaders.front()).empty(); }));
    for (const Spawned& leader : leaders) ::waitpid(leader.pid, nullptr, 0);
  }
  Containment of(const Spawned& leader) { return {leader.pid, std::nullopt, instance, 5, scan}; }
};

}  // namespace

TEST_CASE("in a turn one look at the processes serves all workers, and outside of one each question looks anew") {
  Leavers all(4);
  const auto ask = [&] {
    const std::uint64_t before = all.scan.looks();
    for (const Spawned& leader : all.leaders) {
      (void)all.of(leader).members();
      (void)all.of(leader).group();
      (void)all.of(leader).empty();
    }
    return all.scan.looks() - before;
  };
  CHECK(ask() == 12);
  all.scan.begin_turn();
  CHECK(ask() == 1);
  CHECK(ask() == 0);
  all.scan.begin_turn();
  CHECK(ask() == 1);
  all.scan.end_turn();
  CHECK(ask() == 12);
}

TEST_CASE("processes belong to a session, or have the instance and the generation in their environment") {
  Leavers all(1);
  const pid_t leader = all.leaders.front().pid;
  const std::string instance = "GRAY_INSTANCE=" + all.instance;
  CHECK(within(5s, [&] { return all.scan.members(leader, instance, "GRAY_GENERATION=5").size() >= 2; }));
  const auto marked = all.scan.members(-1, instance, "GRAY_GENERATION=5");
  CHECK_FALSE(marked.empty());
  CHECK(std::ranges::is_sorted(marked));
  CHECK(all.scan.members(-1, instance, "GRAY_GENERATION=6").empty());
  CHECK(all.scan.members(-1, instance + "x", "GRAY_GENERATION=5").empty());
}

TEST_CASE("a look of this turn that only shows processes which have ended since is not the last one") {
  Leavers all(1);
  const Spawned& leader = all.leaders.front();
  const Containment worker = all.of(leader);
  all.scan.begin_turn();
  REQUIRE_FALSE(worker.group().empty());
  ::kill(-leader.pid, SIGKILL);
  ::waitpid(leader.pid, nullptr, 0);
  CHECK(within(5s, [&] {  // its other processes are children of this one now
    while (::waitpid(-leader.pid, nullptr, WNOHANG) > 0) continue;
    return ::kill(-leader.pid, 0) != 0;
  }));
  CHECK_FALSE(worker.group().empty());  // as it was
  CHECK(worker.rest_of_group().empty);
  all.scan.end_turn();
}
