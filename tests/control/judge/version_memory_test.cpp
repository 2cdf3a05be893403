#include "control/judge/version_memory.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

struct VersionMemoryFixture {
  VersionMemory memory;
  VersionView view{"web", "v1", VersionState::serving, "", {}};
  segment::Totals totals;
  TimePoint now{std::chrono::hours{1}};
  std::uint64_t bytes = 1'000'000;
  ProcessMeter meter{[this](pid_t pid) { return bytes + static_cast<std::uint64_t>(pid); }, [](pid_t) { return 5u; }};

  VersionMemoryFixture() {
    for (const pid_t pid : {1, 3}) {
      WorkerView worker;
      worker.id = "web@v1#" + std::to_string(pid);
      worker.pid = pid;
      worker.generation = static_cast<std::uint64_t>(pid);
      worker.routable = true;
      view.workers.push_back(worker);
    }
  }
  void look() {
    now += MemoryTrend::kInterval;
    memory.look(now, view, totals, meter);
  }
};

TEST_CASE_FIXTURE(VersionMemoryFixture, "each worker has its curve, and the version the mean and its slope") {
  for (int i = 0; i < 10; ++i) {
    look();
    totals.requests += 2'000;
    bytes += 3'000;
  }
  REQUIRE(memory.worker("web@v1#3"));
  CHECK(memory.worker("web@v1#3")->samples().size() == 10);
  CHECK(memory.worker("web@v1#3")->samples().front().memory == 1'000'003);
  CHECK(memory.trend().samples().front().memory == 1'000'002);
  CHECK(*memory.trend().slope() == doctest::Approx(3'000));
  CHECK(memory.growth().of(9'000)->memory == 27'000);
  CHECK(memory.worker("web@v1#9") == nullptr);
}

TEST_CASE_FIXTURE(VersionMemoryFixture, "a worker in back-off keeps its curve, a slot that is gone does not") {
  look();
  view.workers[0].pid = 0;
  view.workers.pop_back();
  look();
  REQUIRE(memory.worker("web@v1#1"));
  CHECK(memory.worker("web@v1#1")->samples().size() == 1);
  CHECK(memory.worker("web@v1#3") == nullptr);
}

}  // namespace
}  // namespace gray::control
