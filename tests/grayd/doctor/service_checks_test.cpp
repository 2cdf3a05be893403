#include "grayd/doctor/service_checks.hpp"

#include <doctest/doctest.h>

#include "tests/grayd/doctor/some_facts.hpp"

using namespace gray;
using namespace gray::doctor;
using namespace gray::test;

namespace {

template <class Change>
Checkup with_facts(Change change) {
  Facts facts = some_facts();
  change(facts);
  Checkup out;
  check_services(facts, out);
  return out;
}

}  // namespace

TEST_CASE("services without a fault pass every check") {
  const Checkup out = with_facts([](Facts&) {});
  CHECK(out.findings.empty());
  CHECK(out.skipped.empty());
  CHECK(out.passed.size() == 6);
}

TEST_CASE("a stable version without workers, with too few, or stopped") {
  const auto none = with_facts([](Facts& facts) {
    facts.services[0].versions[0].workers[0].state = "failed";
    facts.services[0].versions[0].cause = "died-before-ready (exit 127)";
  });
  REQUIRE(of(none, "stable").size() == 1);
  CHECK(of(none, "stable")[0].severity == Severity::error);
  CHECK(mentions(of(none, "stable")[0].message, "127 is the shell's code for a program that is not there"));
  const auto few = with_facts([](Facts& facts) { facts.services[0].versions[0].instances = 2; });
  CHECK(of(few, "stable").at(0).severity == Severity::warning);
  CHECK(of(few, "stable").at(0).message == "1 of 2 workers of the stable version are healthy");
  const auto stopped = with_facts([](Facts& facts) { facts.services[0].versions[0].stopped = true; });
  CHECK(of(stopped, "stable").at(0).remedy == "grayctl start web v1");
  const auto starting = with_facts([](Facts& facts) {
    facts.services[0].versions[0].state = "starting";
    facts.services[0].versions[0].workers[0].state = "spawned";
  });
  CHECK(mentions(of(starting, "stable").at(0).message, "it is starting"));
}

TEST_CASE("a canary with users and without a healthy worker is an error; without users it is not") {
  const auto down = [](double weight) {
    return of(with_facts([weight](Facts& facts) {
                auto& canary = facts.services[0].versions[1];
                canary.weight = canary.configured_weight = weight;
                canary.workers[0].state = "unhealthy";
              }),
              "canary");
  };
  REQUIRE(down(5).size() == 1);
  CHECK(mentions(down(5)[0].message, "it has 5% of the users"));
  CHECK(mentions(down(5)[0].remedy, "grayctl shift web v2 0"));
  CHECK(down(0).empty());
}

TEST_CASE("drift: the file changed, another weight, another stable version") {
  const auto changed = with_facts([](Facts& facts) { facts.config_changed = true; });
  CHECK(of(changed, "drift").at(0).subject == "/etc/grayd/grayd.toml");
  const auto weight = with_facts([](Facts& facts) { facts.services[0].versions[1].weight = 20; });
  REQUIRE(of(weight, "drift").size() == 1);  // not for stable, which has the rest
  CHECK(of(weight, "drift")[0].subject == "web v2");
  CHECK(of(weight, "drift")[0].remedy ==
        "grayctl history web says who set it; grayctl shift web v2 5, or write weight = 20 in the file");
  const auto stable = with_facts([](Facts& facts) { facts.services[0].configured_stable = "v2"; });
  REQUIRE(of(stable, "drift").size() == 1);
  CHECK(of(stable, "drift")[0].message == "stable is v1, in the file v2");
}

TEST_CASE("no router, and one that is behind") {
  CHECK(of(with_facts([](Facts& facts) { facts.routers.clear(); }), "router").at(0).severity == Severity::error);
  CHECK(of(with_facts([](Facts& facts) { facts.table = 8; }), "router").at(0).severity == Severity::warning);
}

TEST_CASE("warnings of the status become findings with their remedy apart") {
  const auto out = with_facts([](Facts& facts) {
    facts.warnings.push_back({"trusted-proxies", "", "",
                              "the peer 10.0.0.1 sends X-Forwarded-*, so all its users count as one: if it is your "
                              "proxy, add \"10.0.0.1\" to router.trusted_proxies"});
    facts.warnings.push_back({"listen-backlog", "web", "v1", "it has a backlog of 5; raise the backlog"});
  });
  REQUIRE(of(out, "trusted-proxies").size() == 1);
  CHECK(of(out, "trusted-proxies")[0].subject == "router");
  CHECK(of(out, "trusted-proxies")[0].message.ends_with("count as one"));
  CHECK(of(out, "trusted-proxies")[0].remedy.starts_with("if it is your proxy, add"));
  REQUIRE(of(out, "backlog").size() == 1);
  CHECK(of(out, "backlog")[0].remedy == "raise the backlog");
}

TEST_CASE("a listener that /proc has shown by worker is not reported again by version") {
  Facts facts = some_facts();
  facts.warnings.push_back({"open-listener", "web", "v1", "worker web@v1#0 listens on every interface; let it not"});
  Checkup out;
  out.add("open-listener", Severity::error, "web@v1#0", "seen", "remedy");
  check_services(facts, out);
  CHECK(of(out, "open-listener").size() == 1);
  CHECK(of(with_facts([](Facts& one) { one.warnings.push_back({"open-listener", "web", "v1", "x; y"}); }),
           "open-listener")
            .size() == 1);
}

TEST_CASE("max_sockets above the backlog of the host") {
  const auto found = of(with_facts([](Facts& facts) { facts.listen_backlog = 32; }), "backlog");
  REQUIRE(found.size() == 1);
  CHECK(mentions(found[0].remedy, "sysctl net.core.somaxconn=64"));
  CHECK(with_facts([](Facts& facts) { facts.listen_backlog.reset(); }).skipped.at(0).check == "backlog");
}
