#include "grayd/doctor/host_checks.hpp"

#include <doctest/doctest.h>

#include "tests/grayd/doctor/some_facts.hpp"

using namespace gray;
using namespace gray::doctor;
using namespace gray::test;

namespace {

template <class Change>
Checkup on_host(Change change) {
  Facts facts = some_facts();
  change(facts);
  Checkup out;
  check_host(facts, out);
  return out;
}

}  // namespace

TEST_CASE("a host without a fault passes every check") {
  const Checkup out = on_host([](Facts&) {});
  CHECK(out.findings.empty());
  CHECK(out.skipped.empty());
  CHECK(out.passed.size() == 8);
}

TEST_CASE("what is not known is said, with its reason") {
  const Checkup out = on_host([](Facts& facts) {
    facts.config.reset();
    facts.program.reset();
    facts.admin.reset();
    facts.clock_set.reset();
    facts.stores.clear();
    facts.unseen["config"] = "it cannot be read";
  });
  CHECK(out.findings.empty());
  CHECK(out.passed.empty());
  CHECK(out.skipped.size() == 8);
  CHECK(out.skipped[0] == Remark{"config", "it cannot be read"});
}

TEST_CASE("a file that is not valid any more is an error") {
  const auto found = of(on_host([](Facts& facts) { facts.config->errors = "x"; }), "config");
  REQUIRE(found.size() == 1);
  CHECK(found[0].remedy == "grayd --config /etc/grayd/grayd.toml --check");
}

TEST_CASE("too few descriptors for max_connections") {
  CHECK(needed_files(some_facts()) == 10'000 + 200 + 2 * 64);
  const auto found = of(on_host([](Facts& facts) { facts.routers[0].file_limit = 1'024; }), "files");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::error);
  CHECK(mentions(found[0].message, "may open 1024 files, but needs up to 10328"));
  CHECK(mentions(found[0].remedy, "LimitNOFILE=10328"));
}

TEST_CASE("the budget against the memory of the host and of the control group") {
  const auto host = of(on_host([](Facts& facts) { facts.memory->ram = 900ull << 20; }), "memory");
  REQUIRE(host.size() == 1);
  CHECK(host[0].severity == Severity::warning);
  CHECK(host[0].remedy == "budget = \"225MiB\" in [memory]");
  const auto group = of(on_host([](Facts& facts) { facts.memory->group_limit = 256ull << 20; }), "memory");
  REQUIRE(group.size() == 2);  // no worker fits, either
  CHECK(group[0].severity == Severity::error);
  CHECK(mentions(group[0].message, "the control group of grayd has 256 MiB"));
  const auto workers =
      of(on_host([](Facts& facts) { facts.services[0].versions[0].memory_limit = 9ull << 30; }), "memory");
  REQUIRE(workers.size() == 1);
  CHECK(mentions(workers[0].message, "the limits of the workers"));
}

TEST_CASE("a program that was replaced or removed") {
  const auto replaced = of(on_host([](Facts& facts) { facts.program->replaced = true; }), "program");
  REQUIRE(replaced.size() == 1);
  CHECK(mentions(replaced[0].remedy, "grayctl upgrade"));
  CHECK(mentions(of(on_host([](Facts& facts) { facts.program->gone = true; }), "program").at(0).message, "removed"));
}

TEST_CASE("a clock that nothing sets is a hint, one that was set back a warning") {
  CHECK(of(on_host([](Facts& facts) { facts.clock_set = false; }), "clock").at(0).severity == Severity::hint);
  const auto back = of(on_host([](Facts& facts) { facts.saved_ahead = Duration{60'000}; }), "clock");
  REQUIRE(back.size() == 1);
  CHECK(back[0].message == "the state was saved 60 s in the future: the clock was set back");
}

TEST_CASE("an admin socket for everybody is an error") {
  const auto found = of(on_host([](Facts& facts) { facts.admin->mode = 0666; }), "admin-socket");
  REQUIRE(found.size() == 1);
  CHECK(mentions(found[0].message, "0666"));
  CHECK(found[0].remedy == "chmod 0660 /run/grayd/grayd.sock");
}

TEST_CASE("a disk that fills, and a log that nothing rotates") {
  const auto disk = [](std::uint64_t free) {
    return of(on_host([free](Facts& facts) { facts.stores[0].free_bytes = free; }), "disk");
  };
  CHECK(disk(6ull << 30).empty());
  CHECK(disk(4ull << 30).at(0).severity == Severity::warning);
  CHECK(disk(50ull << 20).at(0).severity == Severity::error);
  const auto log = of(on_host([](Facts& facts) { facts.stores[1].bytes = 2ull << 30; }), "log");
  REQUIRE(log.size() == 1);
  CHECK(mentions(log[0].remedy, "SIGUSR1"));
}
