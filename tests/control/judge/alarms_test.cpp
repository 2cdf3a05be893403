#include "control/judge/alarms.hpp"

#include <doctest/doctest.h>

#include <map>

namespace gray::control {
namespace {

struct AlarmsFixture {
  Alarms alarms;
  TimePoint now{std::chrono::hours{1}};
  VersionView canary_view{"web", "v2", VersionState::serving, "", {}};
  VersionView stable_view{"web", "v1", VersionState::serving, "", {}};
  Alarms::Side canary{&canary_view, {}}, stable{&stable_view, {}};
  std::map<pid_t, std::uint64_t> resident, files;
  int measurements = 0;
  ProcessMeter meter{[this](pid_t pid) { return ++measurements, resident[pid]; },
                     [this](pid_t pid) { return files[pid]; }};

  AlarmsFixture() {
    add(canary_view, 200);
    add(stable_view, 100);
  }
  void add(VersionView& view, pid_t pid) {
    WorkerView worker;
    worker.id = "web@" + view.version + "#" + std::to_string(view.workers.size());
    worker.pid = pid;
    worker.generation = static_cast<std::uint64_t>(pid);
    worker.routable = true;
    view.workers.push_back(worker);
    resident[pid] = 50 << 20;
    files[pid] = 20;
  }
  std::optional<std::string> look(Duration passed = Duration{100}) {
    now += passed;
    return alarms.look(now, canary, stable, meter);
  }
};

TEST_CASE_FIXTURE(AlarmsFixture, "healthy versions give no alarm, and are measured once a second") {
  for (int i = 0; i < 100; ++i) {
    canary.totals.requests += 5;
    stable.totals.requests += 15;
    REQUIRE(!look());
  }
  CHECK(measurements == 2 * 10);
}

TEST_CASE_FIXTURE(AlarmsFixture, "a crash, a hang and a leak are each an alarm") {
  look();
  SUBCASE("crash") {
    canary_view.workers[0].pid = 0;
    CHECK(look()->find("ended soon after its start") != std::string::npos);
  }
  SUBCASE("hang") {
    std::optional<std::string> reason;
    for (int i = 0; i < 40 && !reason; ++i) {
      canary.totals.in_flight += 1;
      stable.totals.requests += 15;
      reason = look();
    }
    REQUIRE(reason);
    CHECK(reason->find("no answer for") == 0);
  }
  SUBCASE("leak") {
    std::optional<std::string> reason;
    for (int i = 0; i < 600 && !reason; ++i) {
      canary.totals.requests += 5;
      stable.totals.requests += 15;
      resident[200] += 5 * 200'000;
      reason = look();
    }
    REQUIRE(reason);
    CHECK(reason->find("its memory has grown") == 0);
  }
  SUBCASE("leak of one of many workers") {
    for (pid_t pid = 201; pid < 204; ++pid) add(canary_view, pid);
    std::optional<std::string> reason;
    for (int i = 0; i < 1'200 && !reason; ++i) {
      canary.totals.requests += 20;
      stable.totals.requests += 60;
      resident[203] += 2'000'000;
      reason = look();
    }
    CHECK(reason);
  }
}

TEST_CASE_FIXTURE(AlarmsFixture, "of many workers only some are measured") {
  for (pid_t pid = 300; pid < 400; ++pid) add(canary_view, pid);
  look();
  CHECK(measurements == static_cast<int>(VitalsMeter::kMeasuredWorkers) + 1);
}

TEST_CASE_FIXTURE(AlarmsFixture, "without a living worker nothing is measured") {
  canary_view.workers.clear();
  stable_view.workers.clear();
  CHECK(!look());
  CHECK(measurements == 0);
}

}  // namespace
}  // namespace gray::control
