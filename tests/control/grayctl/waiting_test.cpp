#include "control/grayctl/waiting.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

json workers(std::size_t healthy, std::size_t others = 0) {
  json all = json::array();
  for (std::size_t i = 0; i < healthy; ++i) all.push_back({{"state", "healthy"}});
  for (std::size_t i = 0; i < others; ++i) all.push_back({{"state", "spawned"}});
  return all;
}

json version(const char* name, const char* state, json its_workers, bool stopped = false) {
  return {{"name", name},       {"state", state}, {"workers", its_workers}, {"instances", 2}, {"stopped", stopped},
          {"restart", nullptr}, {"cause", ""},    {"in_flight", 1}};
}

json restarting(unsigned number, const char* state, const char* reason = "") {
  json one = version("v2", "serving", workers(2));
  one["restart"] = {{"number", number}, {"state", state}, {"replaced", 1}, {"of", 2}, {"reason", reason}};
  return one;
}

json status_of(json v2) {
  const json web = {{"name", "web"}, {"versions", {version("v1", "serving", workers(2)), v2}}};
  const json api = {{"name", "api"}, {"versions", {version("v1", "starting", workers(0, 1))}}};
  return {{"state", "serving"}, {"services", {web, api}}};
}

struct WaitingCase {
  Verb verb;
  json v2;
  bool over;
  ExitCode code;
  const char* text;
};

void check(const WaitingCase& row) {
  const Progress progress = judge({row.verb, "web", "v2", 3}, status_of(row.v2));
  CAPTURE(row.text);
  CHECK(progress.text == row.text);
  CHECK(progress.over == row.over);
  CHECK(progress.code == row.code);
}

}  // namespace

TEST_CASE("a start is over when all workers are healthy, or when the version failed or was stopped") {
  json failed = version("v2", "failed", workers(0));
  failed["cause"] = "worker web@v2#0: exit 1";
  json slow = version("v2", "starting", workers(0, 2));
  slow["cause"] = "worker web@v2#0: exit 1";
  const WaitingCase rows[] = {
      {Verb::start, version("v2", "starting", workers(0, 2)), false, ExitCode::ok,
       "starting web v2: 0 of 2 workers healthy"},
      {Verb::start, slow, false, ExitCode::ok, "starting web v2: 0 of 2 workers healthy; worker web@v2#0: exit 1"},
      {Verb::start, version("v2", "dark", workers(1, 1)), false, ExitCode::ok,
       "starting web v2: 1 of 2 workers healthy"},
      {Verb::start, version("v2", "dark", workers(2)), true, ExitCode::ok, "web v2 started: 2 of 2 workers healthy"},
      {Verb::start, failed, true, ExitCode::failed,
       "web v2 has failed; worker web@v2#0: exit 1; correct it, then: grayctl start web v2"},
      {Verb::start, version("v2", "draining", workers(1), true), true, ExitCode::conflict,
       "web v2 was stopped meanwhile"},
  };
  for (const WaitingCase& row : rows) check(row);
}

TEST_CASE("a stop or drain is over when no worker is left, or when the version was started again") {
  const WaitingCase rows[] = {
      {Verb::stop, version("v2", "draining", workers(1), true), false, ExitCode::ok, "stopping web v2: 1 worker left"},
      {Verb::drain, version("v2", "draining", workers(2), true), false, ExitCode::ok,
       "draining web v2: 2 workers left, 1 request in flight"},
      {Verb::stop, version("v2", "stopped", workers(0), true), true, ExitCode::ok, "web v2 stopped"},
      {Verb::drain, version("v2", "stopped", workers(0), true), true, ExitCode::ok, "web v2 drained and stopped"},
      {Verb::drain, version("v2", "starting", workers(1)), true, ExitCode::conflict,
       "web v2 was started again meanwhile"},
  };
  for (const WaitingCase& row : rows) check(row);
}

TEST_CASE("a restart is over when it is done or stopped; another one is not this one") {
  json failed = restarting(3, "failed", "failed");
  failed["state"] = "failed";
  const WaitingCase rows[] = {
      {Verb::restart, restarting(3, "running"), false, ExitCode::ok, "restarting web v2: 1 of 2 workers replaced"},
      {Verb::restart, restarting(3, "done"), true, ExitCode::ok, "web v2 restarted: 1 of 2 workers replaced"},
      {Verb::restart, restarting(3, "failed", "worker web@v2#4: exit 1"), true, ExitCode::failed,
       "the restart of web v2 stopped after 1 of 2 workers replaced, and the old workers stay; "
       "worker web@v2#4: exit 1"},
      {Verb::restart, failed, true, ExitCode::failed, "web v2 has failed; correct it, then: grayctl start web v2"},
      {Verb::restart, restarting(3, "failed", "stopped"), true, ExitCode::conflict, "web v2 was stopped meanwhile"},
      {Verb::restart, restarting(4, "running"), true, ExitCode::conflict,
       "another restart of web v2 began meanwhile; see grayctl status"},
      {Verb::restart, restarting(2, "done"), true, ExitCode::failed,
       "grayd has no record of the restart of web v2; see grayctl status"},
      {Verb::restart, version("v2", "serving", workers(2)), true, ExitCode::failed,
       "grayd has no record of the restart of web v2; see grayctl status"},
  };
  for (const WaitingCase& row : rows) check(row);
}

TEST_CASE("an upgrade is over when it is done or failed; another one is not this one") {
  const Awaited third{Verb::upgrade, "router", "", 3};
  const auto at = [&](unsigned number, const char* state, int code) {
    json status = status_of(restarting(3, "done"));
    const json other = {{"number", 9}, {"state", "running"}, {"text", "another"}};
    status["upgrades"] = {{{"number", number}, {"state", state}, {"text", "so far"}, {"exit_code", code}}, other};
    return judge(third, status);
  };
  CHECK_FALSE(at(3, "running", 0).over);
  CHECK(at(3, "running", 0).text == "so far");
  CHECK(at(3, "done", 0).over);
  CHECK(at(3, "done", 0).code == ExitCode::ok);
  CHECK(at(3, "failed", 1).code == ExitCode::failed);
  CHECK(at(3, "failed", 5).code == ExitCode::timeout);
  CHECK(at(3, "failed", 5).text == "so far");
  CHECK(at(2, "done", 0).code == ExitCode::failed);
  CHECK(at(2, "done", 0).text == "grayd has no record of the upgrade of router; see grayctl events");
  CHECK(judge(third, status_of(restarting(3, "done"))).code == ExitCode::failed);
  CHECK(where_to_look(third) == "it continues; see: grayctl status");
}

TEST_CASE("a removed version and a stopping grayd end every wait") {
  for (const Verb verb : {Verb::start, Verb::stop, Verb::restart, Verb::drain}) {
    const Progress removed = judge({verb, "web", "v9", 1}, status_of(restarting(3, "done")));
    CHECK(removed.code == ExitCode::conflict);
    CHECK(removed.text == "web v9 was removed meanwhile");
    CHECK(judge({verb, "old", "v1", 1}, status_of(restarting(3, "done"))).over);
  }
  json status = status_of(restarting(3, "running"));
  status["state"] = "stopping";
  const Progress ended = judge({Verb::restart, "web", "v2", 3}, status);
  CHECK(ended.code == ExitCode::no_daemon);
  CHECK(ended.text == "grayd is stopping; the outcome of the restart of web v2 is unknown");
}

TEST_CASE("health needs every version to be up, except stopped ones") {
  const Awaited web{Verb::status, "web", "", 0}, all{Verb::health, "", "", 0};
  CHECK(judge(web, status_of(version("v2", "dark", workers(2)))).over);
  CHECK(judge(web, status_of(version("v2", "stopped", workers(0), true))).over);
  CHECK(judge(web, status_of(version("v2", "dark", workers(1)))).text == "waiting for web v2: 1 of 2 workers healthy");
  CHECK(judge(web, status_of(restarting(3, "running"))).text == "restarting web v2: 1 of 2 workers replaced");
  CHECK(judge(web, status_of(version("v2", "failed", workers(0)))).code == ExitCode::failed);
  CHECK(judge(all, status_of(version("v2", "dark", workers(2)))).text == "waiting for api v1: 0 of 2 workers healthy");
  json status = status_of(version("v2", "dark", workers(2)));
  status["state"] = "starting";
  CHECK(judge(web, status).text == "grayd is starting");
}

TEST_CASE("a caller that stops waiting gets the command to look at the status") {
  CHECK(subject({Verb::drain, "web", "v2", 0}) == "drain of web v2");
  CHECK(subject({Verb::status, "", "", 0}) == "health of every service");
  CHECK(where_to_look({Verb::start, "web", "v2", 0}) == "it continues; see: grayctl status web");
  CHECK(where_to_look({Verb::health, "", "", 0}) == "see: grayctl status");
}

TEST_CASE("a deploy is over when all workers are healthy, or when the version failed or was stopped") {
  json failed = version("v2", "failed", workers(0));
  failed["cause"] = "worker web@v2#0: exit 1";
  const WaitingCase rows[] = {
      {Verb::deploy, version("v2", "starting", workers(1, 1)), false, ExitCode::ok,
       "deploying web v2: 1 of 2 workers healthy"},
      {Verb::deploy, version("v2", "dark", workers(2)), true, ExitCode::ok, "web v2 deployed: 2 of 2 workers healthy"},
      {Verb::deploy, version("v2", "stopped", workers(0), true), true, ExitCode::conflict,
       "web v2 was stopped meanwhile"},
      {Verb::deploy, failed, true, ExitCode::failed,
       "web v2 could not be started; worker web@v2#0: exit 1; correct it, then: grayctl remove web v2, and deploy it "
       "again"},
  };
  for (const WaitingCase& row : rows) check(row);
}

TEST_CASE("a removal is over when the version is gone") {
  json removing = version("v2", "draining", workers(1), true);
  removing["removing"] = true;
  check({Verb::remove, removing, false, ExitCode::ok, "draining web v2: 1 worker left, 1 request in flight"});
  removing["removing"] = false;
  check({Verb::remove, removing, true, ExitCode::conflict, "web v2 was deployed again meanwhile"});
  const Progress gone = judge({Verb::remove, "web", "v9", 0}, status_of(removing));
  CHECK(gone.over);
  CHECK(gone.code == ExitCode::ok);
  CHECK(gone.text == "web v9 drained and removed");
}

TEST_CASE("an undo is over when grayd says so, or when its version is stable") {
  const auto at = [](json undo, const char* stable = "v1") {
    json status = status_of(version("v2", "starting", workers(1, 1)));
    status["services"][0]["undo"] = std::move(undo);
    status["services"][0]["stable"] = stable;
    return judge({Verb::undo, "web", "v2", 3}, status);
  };
  const Progress runs = at({{"number", 3}, {"state", "running"}, {"text", "starting v2"}});
  CHECK_FALSE(runs.over);
  CHECK(runs.text == "starting web v2: 1 of 2 workers healthy");
  CHECK(at({{"number", 3}, {"state", "done"}, {"text", "done"}}).text == "done");
  const Progress failed = at({{"number", 3}, {"state", "failed"}, {"text", "why"}, {"exit_code", 5}});
  CHECK(failed.code == ExitCode::timeout);
  CHECK(failed.text == "why");
  CHECK(at(nullptr, "v2").code == ExitCode::ok);
  CHECK(at({{"number", 4}, {"state", "done"}}).text == "grayd has no record of the undo to web v2; see grayctl events");
}
