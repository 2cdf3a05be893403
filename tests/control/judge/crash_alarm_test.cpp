#include "control/judge/crash_alarm.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

struct CrashFixture {
  CrashAlarm alarm;
  TimePoint now{std::chrono::hours{1}};
  VersionView canary = view("v2"), stable = view("v1");

  static VersionView view(const char* version) {
    VersionView made{"web", version, VersionState::serving, "", {}};
    for (int i = 0; i < 2; ++i) {
      WorkerView worker;
      worker.id = "web@" + made.version + "#" + std::to_string(i);
      worker.pid = 100 + i;
      worker.generation = static_cast<std::uint64_t>(1 + i);
      worker.state = WorkerState::healthy;
      worker.routable = true;
      made.workers.push_back(worker);
    }
    return made;
  }
  std::optional<std::string> look(Duration passed = Duration{100}) {
    now += passed;
    return alarm.look(now, canary, stable);
  }
  static void end(VersionView& version, std::size_t worker) {
    auto& one = version.workers[worker];
    one.pid = 0;
    one.routable = false;
    one.state = WorkerState::backoff;
    one.last_exit = "exit 3";
  }
  static void start(VersionView& version, std::size_t worker) {
    auto& one = version.workers[worker];
    one.pid = 500;
    one.generation += 10;
    one.routable = true;
    one.state = WorkerState::healthy;
  }
};

TEST_CASE_FIXTURE(CrashFixture,
                  "one end of a process that has served for a while is no fault, two within a minute are") {
  look();
  look(CrashAlarm::kYoung);
  end(canary, 0);
  CHECK(!look());
  start(canary, 0);
  CHECK(!look());
  CHECK(!look(CrashAlarm::kYoung));
  end(canary, 0);
  CHECK(look() == "2 processes of v2 ended within 60 s; the last one: worker web@v2#0: exit 3");
}

TEST_CASE_FIXTURE(CrashFixture, "ends that are more than a minute apart are no fault") {
  look();
  for (int i = 0; i < 5; ++i) {
    look(CrashAlarm::kWindow);
    end(canary, 0);
    CHECK(!look());
    start(canary, 0);
    CHECK(!look());
  }
}

TEST_CASE_FIXTURE(CrashFixture, "a process that dies of its first requests is a fault at once") {
  look();
  look(CrashAlarm::kYoung - Duration{300});
  end(canary, 1);
  CHECK(look() == "a process of v2 ended soon after its start; worker web@v2#1: exit 3");
}

TEST_CASE_FIXTURE(CrashFixture, "a process that was replaced between two looks has ended, too") {
  look();
  end(canary, 0);
  start(canary, 0);
  CHECK(look());
}

TEST_CASE_FIXTURE(CrashFixture, "if stable loses as many processes the canary is not the cause") {
  look();
  end(canary, 0);
  end(stable, 0);
  CHECK(!look());
  end(canary, 1);
  CHECK(look());
}

TEST_CASE_FIXTURE(CrashFixture, "asked-for ends are no fault: a replacement, a drain, a stop") {
  look();
  canary.replacement = ReplacementView{1, ReplacementState::running, 0, 2, ""};
  end(canary, 0);
  CHECK(!look());
  canary.replacement->state = ReplacementState::done;
  canary.workers[1].state = WorkerState::draining;
  CHECK(!look());
  end(canary, 1);
  CHECK(!look());
  start(canary, 0);
  look();
  canary.state = VersionState::stopped;
  canary.workers.clear();
  CHECK(!look());
}

TEST_CASE_FIXTURE(CrashFixture, "a process that never served is not counted: it had no users") {
  end(canary, 0);
  look();
  canary.workers[0].pid = 900;
  canary.workers[0].generation = 77;
  CHECK(!look());
  end(canary, 0);
  CHECK(!look());
}

}  // namespace
}  // namespace gray::control
