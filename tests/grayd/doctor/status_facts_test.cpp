#include "grayd/doctor/status_facts.hpp"

#include <doctest/doctest.h>

#include "config/settings/settings_toml.hpp"

using namespace gray;
using namespace gray::doctor;
using nlohmann::json;

namespace {

const json kStatus = json::parse(R"({"version":"0.1.0","pid":10,"state":"serving","config_changed":true,"table":3,
  "routers":[{"pid":13,"state":"ready","table":3}],
  "warnings":[{"cause":"open-listener","service":"web","version":"v1","text":"x; y"}],
  "services":[{"name":"web","stable":"v1","configured_stable":"v2","versions":[
    {"name":"v1","state":"serving","cause":"","weight":80.0,"configured_weight":95.0,"instances":2,"stopped":false,
     "workers":[{"id":"web@v1#0","pid":11,"state":"healthy","address":"127.0.0.1:4001","ready_by":"ipc","restarts":2,
                 "last_exit":"exit 3"},{"id":"web@v1#1","pid":0,"state":"backoff"}]}]}]})");
const json kEvents = json::parse(R"({"events":[
  {"kind":"worker-started","worker":"web@v1#0","pid":9,"time":"2026-01-02T03:04:05.000Z"},
  {"kind":"worker-started","worker":"web@v1#0","pid":11,"time":"2026-01-02T03:05:05.000Z"},
  {"kind":"worker-ready","worker":"web@v1#0","time":"2026-01-02T03:05:05.250Z"}]})");

}  // namespace

TEST_CASE("the status and the events become facts") {
  const Facts facts = facts_of(kStatus, kEvents);
  CHECK(facts.version == "0.1.0");
  CHECK(facts.config_changed);
  CHECK(facts.routers.at(0).table == 3);
  CHECK(facts.warnings.at(0).cause == "open-listener");
  const VersionFacts& version = facts.services.at(0).versions.at(0);
  CHECK(version.stable);
  CHECK(version.configured_weight == 95);
  const WorkerFacts& worker = version.workers.at(0);
  CHECK(worker.pid == 11);
  CHECK(worker.restarts == 2);
  CHECK(worker.ready_after == Duration{250});
  CHECK_FALSE(version.workers.at(1).ready_after);
}

TEST_CASE("an answer of another version of grayd, and no answer at all, give fewer facts and no error") {
  CHECK(facts_of(json(), json()).services.empty());
  CHECK(facts_of(json::parse(R"({"pid":"x","services":[{"versions":[{"workers":[7]}]}],"routers":7})"), json::array())
            .services.at(0)
            .versions.at(0)
            .workers.at(0)
            .pid == 0);
}

TEST_CASE("the file adds limits, the way to be ready, and the budget") {
  Facts facts = facts_of(kStatus, kEvents);
  facts.config = ConfigFacts{"/g.toml", "", 0, 0};
  const auto loaded = parse_settings(
      "[router]\nmax_connections = 77\n[service.web]\nstable = 'v1'\nlimits.max_sockets = 5\n"
      "[service.web.version.v1]\ncommand = ['x']\nready = ['pipe']\nready_timeout = '9s'\nmemory = '64MiB'\n",
      "/g.toml");
  add_settings(facts, std::get<Settings>(loaded));
  CHECK(facts.config->max_connections == 77);
  CHECK(facts.services[0].max_sockets == 5);
  CHECK(facts.services[0].versions[0].automatic == false);
  CHECK(facts.services[0].versions[0].ready_timeout == Duration{9'000});
  CHECK(facts.services[0].versions[0].memory_limit == 64ull << 20);
}
