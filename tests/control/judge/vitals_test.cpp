#include "control/judge/vitals.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

WorkerView worker_with(pid_t pid, bool routable = true) {
  WorkerView worker;
  worker.pid = pid;
  worker.generation = static_cast<std::uint64_t>(pid);
  worker.routable = routable;
  return worker;
}

const ProcessMeter kMeter{[](pid_t pid) { return static_cast<std::uint64_t>(pid) * 100; }, [](pid_t) { return 7u; }};

TEST_CASE("vitals are the mean of the workers that get requests") {
  VersionView view{"web", "v1", VersionState::serving, "", {}};
  view.workers = {worker_with(2), worker_with(4), worker_with(600, false), worker_with(0)};
  VitalsMeter meter;
  segment::Totals totals;
  totals.requests = 10;
  const auto vitals = meter.look(view, totals, kMeter);
  CHECK(vitals.processes == 6);
  CHECK(vitals.requests == 5);  // of each: the first processes have had all
  CHECK(vitals.memory == 300);
  CHECK(vitals.files == 7);
  view.workers.clear();
  CHECK(meter.look(view, totals, kMeter).processes == 0);
}

TEST_CASE("after a restart the requests count from there") {
  VersionView view{"web", "v1", VersionState::serving, "", {}};
  view.workers = {worker_with(2)};
  VitalsMeter meter;
  segment::Totals totals;
  totals.requests = 100;
  CHECK(meter.look(view, totals, kMeter).requests == 100);
  view.workers = {worker_with(3)};
  CHECK(meter.look(view, totals, kMeter).requests == 0);
  totals.requests = 130;
  CHECK(meter.look(view, totals, kMeter).requests == 30);
}

}  // namespace
}  // namespace gray::control
