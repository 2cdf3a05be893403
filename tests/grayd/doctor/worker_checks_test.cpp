#include "grayd/doctor/worker_checks.hpp"

#include <doctest/doctest.h>

#include "tests/grayd/doctor/some_facts.hpp"

using namespace gray;
using namespace gray::doctor;
using namespace gray::test;

namespace {

/// The checkup of workers after a change of the worker of the canary.
template <class Change>
Checkup with_worker(Change change) {
  Facts facts = some_facts();
  change(facts.services[0].versions[1].workers[0]);
  Checkup out;
  check_workers(facts, out);
  return out;
}

}  // namespace

TEST_CASE("workers without a fault pass every check") {
  const Checkup out = with_worker([](WorkerFacts&) {});
  CHECK(out.findings.empty());
  CHECK(out.skipped.empty());
  CHECK(out.passed.size() == 6);
  CHECK(out.passed[0] == Remark{"port", "2 workers: each that listens does so where grayd told it"});
}

TEST_CASE("a port of its own choice is an error with the remedy, unless the worker is up") {
  const auto elsewhere = [](WorkerFacts& worker) {
    worker.state = "spawned";
    worker.ports = std::vector<init::OpenPort>{{3000, false, false, 1}};
  };
  const auto found = of(with_worker(elsewhere), "port");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::error);
  CHECK(found[0].subject == "web@v2#0");
  CHECK(found[0].message == "it listens on port 3000, but grayd gave it 4002");
  CHECK(mentions(found[0].remedy, "PORT and HOST"));
  const auto starting = [](WorkerFacts& worker) {
    worker.state = "spawned";
    worker.ports->clear();
  };
  CHECK(of(with_worker(starting), "port").empty());
  const auto by_socket = [](WorkerFacts& worker) {
    worker.address = "unix:/run/w.sock";
    worker.ports = std::vector<init::OpenPort>{{3000, false, false, 1}};
    worker.state = "spawned";
  };
  CHECK(of(with_worker(by_socket), "port").empty());
}

TEST_CASE("a listener on every interface is an error") {
  const auto found =
      of(with_worker([](WorkerFacts& worker) { worker.ports->front().everywhere = true; }), "open-listener");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::error);
  CHECK(mentions(found[0].message, "every interface (port 4002)"));
  CHECK(mentions(found[0].remedy, "HOST"));
}

TEST_CASE("sockets that this user may not see are said, not passed") {
  const Checkup out = with_worker([](WorkerFacts& worker) { worker.ports.reset(); });
  CHECK(out.findings.empty());
  REQUIRE(out.skipped.size() == 2);
  CHECK(out.skipped[0].message == "the sockets of 1 of 2 workers belong to another user: run this as root");
}

TEST_CASE("a slow start is a warning, a start without a message a hint") {
  const auto slow = of(with_worker([](WorkerFacts& worker) { worker.ready_after = Duration{31'000}; }), "ready");
  REQUIRE(slow.size() == 1);
  CHECK(slow[0].severity == Severity::warning);
  CHECK(slow[0].message == "it was ready after 31.0 s, and fails after 60.0 s");
  const auto silent = of(with_worker([](WorkerFacts& worker) { worker.ready_by = "tcp"; }), "ready");
  REQUIRE(silent.size() == 1);
  CHECK(silent[0].severity == Severity::hint);
  Facts meant = some_facts();
  meant.services[0].versions[1].automatic = false;
  meant.services[0].versions[1].workers[0].ready_by = "tcp";
  Checkup out;
  check_workers(meant, out);
  CHECK(of(out, "ready").empty());
}

TEST_CASE("a package manager or a shell in between is a warning, a program with children is not") {
  const auto with_leader = [](const char* name) {
    return of(with_worker([name](WorkerFacts& worker) {
                worker.leader = ProcessFacts{12, name};
                worker.below = {{14, "sh"}, {15, "node"}};
              }),
              "process");
  };
  REQUIRE(with_leader("npm").size() == 1);
  CHECK(mentions(with_leader("npm")[0].message, "grayd started npm (pid 12), and that started node (pid 15)"));
  CHECK(with_leader("sh").size() == 1);
  CHECK(with_leader("gunicorn").empty());
  CHECK(of(with_worker([](WorkerFacts& worker) { worker.leader = ProcessFacts{12, "sh"}; }), "process").empty());
}

TEST_CASE("restarts are a warning, many or a worker that waits an error") {
  const auto once = of(with_worker([](WorkerFacts& worker) {
                         worker.restarts = 1;
                         worker.last_exit = "exit 3";
                       }),
                       "restarts");
  REQUIRE(once.size() == 1);
  CHECK(once[0].severity == Severity::warning);
  CHECK(once[0].message == "it was restarted 1 time, last because of: exit 3");
  CHECK(mentions(once[0].remedy, "grayctl logs web v2"));
  const auto often = of(with_worker([](WorkerFacts& worker) { worker.restarts = 3; }), "restarts");
  CHECK(often.at(0).severity == Severity::error);
  const auto waits = of(with_worker([](WorkerFacts& worker) { worker.state = "backoff"; }), "restarts");
  CHECK(waits.at(0).severity == Severity::error);
  CHECK(mentions(waits.at(0).message, "it does not run now (backoff)"));
}

TEST_CASE("a worker whose health check fails is an error") {
  const auto found = of(with_worker([](WorkerFacts& worker) { worker.state = "unhealthy"; }), "health");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::error);
}
