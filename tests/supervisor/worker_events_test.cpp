#include "supervisor/worker_events.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

constexpr WallTime kWallNow(1'795'452'285'042ms);
const WorkerFacts kWorker{"web", "v2", "web@v2#0", 4711, "ipc", 412ms, ""};

std::optional<EventRecord> event_of(WorkerState from, WorkerState to, const WorkerFacts& worker = kWorker,
                                    std::string cause = {}, std::string exit_text = {}) {
  return worker_event({0, from, to, std::move(cause), std::move(exit_text), 500ms}, worker, kWallNow);
}

}  // namespace

TEST_CASE("an event names service, version, worker and process") {
  const auto event = event_of(WorkerState::idle, WorkerState::spawned);
  REQUIRE(event);
  CHECK(event->kind == EventKind::worker_started);
  CHECK(event->service == "web");
  CHECK(event->version == "v2");
  CHECK(event->worker == "web@v2#0");
  CHECK(event->pid == 4711);
}

TEST_CASE("ready says which way and after how long; healthy distinguishes a recovery from a start") {
  const auto ready = event_of(WorkerState::spawned, WorkerState::ready);
  CHECK(ready->kind == EventKind::worker_ready);
  CHECK(ready->cause == "ipc");
  CHECK(ready->text == "by ipc after 0.4 s");
  CHECK(event_of(WorkerState::ready, WorkerState::healthy)->text == "after 0.4 s");
  CHECK(event_of(WorkerState::unhealthy, WorkerState::healthy)->text == "healthy again");
  CHECK(event_of(WorkerState::healthy, WorkerState::unhealthy)->kind == EventKind::worker_unhealthy);
}

TEST_CASE("an unhealthy worker's event says which probe failed, and how") {
  auto worker = kWorker;
  const std::string what = "health checks failed; it gets no requests";
  CHECK(event_of(WorkerState::healthy, WorkerState::unhealthy, worker)->text == what);
  worker.failed_probe = "last probe of 127.0.0.1:1: GET / with Host: a was answered 400";
  CHECK(event_of(WorkerState::healthy, WorkerState::unhealthy, worker)->text == what + "; " + worker.failed_probe);
}

TEST_CASE("a taken address is an event of its own, with what is known about the stranger") {
  auto worker = kWorker;
  worker.detail = "127.0.0.1:1 is answered by user nobody";
  for (const auto from : {WorkerState::healthy, WorkerState::unhealthy}) {
    const auto event = worker_event({0, from, WorkerState::unhealthy, {}, {}, {}, true}, worker, kWallNow);
    REQUIRE(event);
    CHECK(event->kind == EventKind::address_taken);
    CHECK(event->cause == "address-taken");
    CHECK(event->text == worker.detail);
  }
}

TEST_CASE("the event of an end has its cause, and the exit status of the process") {
  auto worker = kWorker;
  const auto plain = event_of(WorkerState::healthy, WorkerState::exited, worker, "exit 3", "exit 3");
  CHECK(plain->kind == EventKind::worker_exited);
  CHECK(plain->cause == "exit 3");
  CHECK(plain->text == "exit 3");
  CHECK(event_of(WorkerState::stopping, WorkerState::exited, worker, "ready-timeout", "signal 15")->text ==
        "ready-timeout (signal 15)");
  worker.detail = "no program node";
  CHECK(event_of(WorkerState::spawned, WorkerState::exited, worker, "exec:ENOENT", "exit 127")->text ==
        "exec:ENOENT (exit 127): no program node");
}

TEST_CASE("a back-off event has the time of the next start, and no pid") {
  const auto event = event_of(WorkerState::exited, WorkerState::backoff, kWorker, "exit 3");
  CHECK(event->kind == EventKind::worker_backoff);
  CHECK(event->pid == 0);
  CHECK(event->cause == "exit 3");
  CHECK(event->text == "until 16:44:45.542 (0.5 s)");
}

TEST_CASE("a start without a process, and intermediate states, are not events") {
  auto without_process = kWorker;
  without_process.pid = 0;
  CHECK_FALSE(event_of(WorkerState::idle, WorkerState::spawned, without_process));
  for (const auto state : {WorkerState::idle, WorkerState::draining, WorkerState::stopping, WorkerState::failed})
    CHECK_FALSE(event_of(WorkerState::healthy, state));
}
