#include "control/commands/release_verbs.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "control/release/formers.hpp"
#include "tests/control/commands/fake_host.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

using Happened = std::vector<std::string>;

/// Service web: v1 is stable, v2 and v3 have no users.
struct ReleaseVerbsFixture : test::FakeHost {
  ReleaseVerbs verbs{*this, settings, live};

  ReleaseVerbsFixture() {
    settings.services[0].versions[1].weight = 0;
    settings.services[0].release.emplace();
    settings.services[0].release->form.command = {"node", "server.js"};
    settings.services[0].release->form.cwd = "/srv/{version}";
    views.push_back(test::version_view("v3", {test::worker("web@v3#0", 2, true)}));
  }
  std::optional<Reply> begin(Verb verb, json more) {
    json args = {{"service", "web"}, {"peer", {{"pid", 12}, {"uid", 0}}}};
    args.update(more);
    std::optional<Reply> reply;
    verbs.call(verb, args, [&](Reply answer) { reply = std::move(answer); });
    return reply;
  }
  Reply call(Verb verb, json more) {
    const auto reply = begin(verb, std::move(more));
    REQUIRE(reply);
    return *reply;
  }
  Reply deploy(const std::string& version) { return call(Verb::deploy, {{"version", version}}); }
  Reply promote(const std::string& version) { return call(Verb::promote, {{"version", version}}); }
  std::optional<Duration> advance(std::chrono::seconds later = {}) {
    return verbs.advance(wall_now() + later, Clock::now() + later);
  }
  const ServiceState& web() { return fact_of(live.published(), "web"); }
  VersionView& view(const std::string& version) {
    for (auto& one : views)
      if (one.version == version) return one;
    views.push_back(test::version_view(version, {}));
    return views.back();
  }
  void up(const std::string& version) {
    view(version) = test::version_view(version, {test::worker("web@x#0", 5, true)});
  }
};

}  // namespace

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a deploy is saved, and then started") {
  const auto reply = call(Verb::deploy, {{"version", "43"}, {"env", {{"A", "1"}}}});
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body == json{{"schema_version", 1},
                           {"verb", "deploy"},
                           {"service", "web"},
                           {"version", "43"},
                           {"cwd", "/srv/43"},
                           {"command", json::array({"node", "server.js"})}});
  CHECK(happened == Happened{"saved", "start 43"});
  CHECK(web().deployed.at("43").settings.env.at("A") == "1");
  REQUIRE(settings.services[0].version("43") != nullptr);
  CHECK(shares_of(settings.services[0], live.published()).of("43") == 0);
  CHECK(deploy("43").code == ExitCode::conflict);
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "only callers that may run any program may set variables") {
  trusts_caller = false;
  const auto reply = call(Verb::deploy, {{"version", "43"}, {"env", {{"LD_PRELOAD", "/tmp/x.so"}}}});
  CHECK(reply.code == ExitCode::denied);
  CHECK(reply.error ==
        "only root and the user of grayd may set variables, which can make a worker run any program; add them to "
        "[service.web.release]");
  CHECK(deploy("43").code == ExitCode::ok);
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a deploy that cannot be started or saved leaves nothing") {
  start_objection = "web@43: cwd /srv/43 is not a folder";
  auto reply = deploy("43");
  CHECK(reply.code == ExitCode::bad_config);
  CHECK(reply.error == "nothing was started: web@43: cwd /srv/43 is not a folder");
  start_objection.clear();
  disk_error = "the disk is full";
  reply = deploy("43");
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error == "nothing was started: the disk is full");
  CHECK(web().deployed.empty());
  CHECK(settings.services[0].version("43") == nullptr);
  CHECK(happened == Happened{"saved"});
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a deploy that a reload or a stop overtakes starts nothing") {
  while_saving = [this] { is_stopping = true; };
  CHECK(deploy("43").code == ExitCode::conflict);
  is_stopping = false;
  while_saving = [this] {
    live.change("web", [](ServiceState& state) { state.deployed.clear(); });
    deployed_changed();
  };
  CHECK(deploy("44").error == "a reload removed web 44 meanwhile; nothing was started");
  CHECK(happened == Happened{"saved", "saved"});
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a second command at the same time is refused, and told who gave the first") {
  std::optional<Reply> second;
  while_saving = [&] {
    if (!second) second = begin(Verb::promote, {{"version", "v3"}});
  };
  CHECK(deploy("43").code == ExitCode::ok);
  REQUIRE(second);
  CHECK(second->code == ExitCode::conflict);
  CHECK(second->error == "a deploy of 43 (requested by pid 12, uid 0) is in progress; see grayctl status web");
  CHECK(verbs.busy("web").empty());
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a promotion is saved, and then published to every router") {
  while_saving = [this] { CHECK(web().stable.empty()); };
  const auto reply = promote("v3");
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body["from"] == "v1");
  CHECK(happened == Happened{"saved"});
  CHECK(published.size() == 1);
  CHECK(web().stable == "v3");
  CHECK(former_of(web(), "v1")->warm);
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a promotion that cannot be saved changes nothing") {
  disk_error = "the disk is full";
  const auto reply = promote("v3");
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error == "nothing was promoted: the disk is full");
  CHECK(live.wanted() == live.published());
  CHECK(web().stable.empty());
  CHECK(verbs.busy("web").empty());
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a slow router makes a promotion late, not undone") {
  laggards = "router pid 7";
  const auto reply = promote("v3");
  CHECK(reply.code == ExitCode::timeout);
  CHECK(reply.error == "published, but not applied in time by router pid 7; see grayctl status");
  CHECK(web().stable == "v3");
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a change that was made while a promotion was saved") {
  while_saving = [this] {
    auto later = fact_of(live.wanted(), "web");
    later.weights["v2"] = 0;
    live.publish("web", live.want("web", later, {}));
  };
  CHECK(promote("v3").code == ExitCode::ok);
  while_saving = [this] { live.replace(live.published()); };
  const auto reply = promote("v1");
  CHECK(reply.code == ExitCode::conflict);
  CHECK(reply.error == "a later change of web was applied first: reload (grayd); see grayctl status");
  CHECK(web().stable == "v3");
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "an undo to a version that runs is published before it is saved") {
  promote("v3");
  happened.clear();
  while_saving = [this] { CHECK(published.size() == 2); };
  const auto reply = call(Verb::undo, json::object());
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body ==
        json{{"schema_version", 1}, {"verb", "undo"}, {"service", "web"}, {"version", "v1"}, {"from", "v3"}});
  CHECK(happened == Happened{"saved"});
  CHECK(web().stable == "v1");
  CHECK(undo_target(settings.services[0], live.published()) == "v3");
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == EventKind::undone);
  CHECK(events[0].version == "v1");
  CHECK(events[0].text == "serves all users again instead of v3 (requested by pid 12, uid 0)");
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "an undo happens although it cannot be saved") {
  promote("v3");
  disk_error = "the disk is full";
  const auto reply = call(Verb::undo, json::object());
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error == "the routers have applied it, but the disk is full");
  CHECK(web().stable == "v1");
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "an undo to a stopped version starts it, and is completed when it is up") {
  promote("v3");
  live.set_stopped("web", "v1", true);
  view("v1") = test::version_view("v1", {});
  happened.clear();
  const auto reply = call(Verb::undo, json::object());
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body["undo"] == json{{"number", 1}});
  CHECK(happened == Happened{"start v1"});
  CHECK(web().stable == "v3");
  CHECK(is_stopped(live.published(), "web", "v1"));
  CHECK(verbs.undos().at("web").state == UpgradeState::running);
  CHECK(verbs.under_way() == "an undo to v1 (requested by pid 12, uid 0)");
  CHECK(promote("v2").error == "an undo to v1 (requested by pid 12, uid 0) is in progress; see grayctl status web");
  CHECK(advance().value() <= ReleaseVerbs::kUndoTimeout);
  up("v1");
  advance();
  CHECK(web().stable == "v1");
  CHECK_FALSE(is_stopped(live.published(), "web", "v1"));
  CHECK(verbs.undos().at("web").state == UpgradeState::done);
  CHECK(verbs.undos().at("web").text == "web: all users get v1 again");
  CHECK(verbs.under_way().empty());
  CHECK(events.back().kind == EventKind::undone);
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "an undo to a version that does not start changes nothing") {
  struct {
    const char* what;
    VersionState state;
    ExitCode code;
    const char* text;
    const char* order;
  } rows[] = {
      {"failed", VersionState::failed, ExitCode::failed, "web v1 could not be started; nothing was changed; exit 1",
       "start v1"},
      {"stopped", VersionState::stopped, ExitCode::conflict, "v1 was stopped meanwhile; nothing was changed",
       "start v1"},
      {"slow", VersionState::starting, ExitCode::timeout, "web v1 was not up in time; nothing was changed; exit 1",
       "drain v1"},
  };
  promote("v3");
  live.set_stopped("web", "v1", true);
  for (const auto& row : rows) {
    CAPTURE(row.what);
    view("v1") = test::version_view("v1", {});
    const auto before = live.published();
    REQUIRE(call(Verb::undo, {{"undo_timeout_ms", 5'000}}).code == ExitCode::ok);
    advance();
    CHECK(verbs.undos().at("web").state == UpgradeState::running);
    view("v1").state = row.state;
    view("v1").cause = "exit 1";
    advance(std::chrono::seconds(6));
    const auto& undo = verbs.undos().at("web");
    CHECK(undo.state == UpgradeState::failed);
    CHECK(undo.code == row.code);
    CHECK(undo.text == row.text);
    CHECK(happened.back() == row.order);
    CHECK(live.published() == before);
    CHECK(verbs.busy("web").empty());
  }
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "an undo to a version that cannot be started on this host is refused") {
  promote("v3");
  view("v1") = test::version_view("v1", {});
  start_objection = "web@v1: cwd /srv/v1 is not a folder";
  const auto reply = call(Verb::undo, json::object());
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error == "nothing was changed: web@v1: cwd /srv/v1 is not a folder");
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "an undo whose version a reload removes ends") {
  promote("v3");
  view("v1") = test::version_view("v1", {});
  call(Verb::undo, json::object());
  std::erase_if(settings.services[0].versions, [](const auto& version) { return version.name == "v1"; });
  advance();
  CHECK(verbs.undos().at("web").text == "v1 was removed by a reload meanwhile");
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a removed version drains, and is then forgotten") {
  deploy("43");
  up("43");
  happened.clear();
  upkeeps = 0;
  const auto reply = call(Verb::remove, {{"version", "43"}});
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body["undo_to"] == nullptr);
  CHECK(happened == Happened{"drain 43", "saved"});
  CHECK(upkeeps == 1);
  CHECK(verbs.attentive());
  advance();
  CHECK(settings.services[0].version("43") != nullptr);
  view("43").state = VersionState::stopped;
  happened.clear();
  advance();
  CHECK(happened == Happened{"forget 43", "saved"});
  CHECK(settings.services[0].version("43") == nullptr);
  CHECK(web().deployed.empty());
  CHECK_FALSE(verbs.attentive());
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a removal that cannot be saved still happens, and reports the error") {
  deploy("43");
  disk_error = "the disk is full";
  const auto reply = call(Verb::remove, {{"version", "43"}});
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error == "web 43 is being removed, but the disk is full");
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "a former stable drains when its time is over, and is kept for undo") {
  promote("v3");
  happened.clear();
  CHECK(advance().value() <= std::chrono::minutes(15));
  CHECK(happened.empty());
  CHECK(advance(std::chrono::minutes(15)) == std::nullopt);
  CHECK(happened == Happened{"drain v1", "saved"});
  CHECK(is_stopped(live.published(), "web", "v1"));
  CHECK(undo_target(settings.services[0], live.published()) == "v1");
  REQUIRE(events.size() == 1);
  CHECK(events[0].text == "was stable long enough ago (warm): drained, and kept for undo");
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "deployed versions beyond keep are removed, those of the file drain") {
  settings.services[0].release->keep = 1;
  deploy("43");
  up("43");
  promote("v3");
  promote("43");
  happened.clear();
  advance();
  CHECK(happened == Happened{"drain v1", "saved"});
  CHECK(events.back().kind == EventKind::command);
  promote("v3");
  up("v2");
  promote("v2");
  advance();
  CHECK(events.back().kind == EventKind::removed);
  CHECK(events.back().version == "43");
  CHECK(web().deployed.at("43").removing);
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "while grayd is replaced or stops, the upkeep waits") {
  promote("v3");
  happened.clear();
  locked_by = "an upgrade is under way";
  CHECK(advance(std::chrono::minutes(15)) == ReleaseVerbs::kRetry);
  is_stopping = true;
  CHECK(advance(std::chrono::minutes(15)) == std::nullopt);
  CHECK(happened.empty());
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "arguments are checked, and refusals carry what to confirm") {
  CHECK(call(Verb::deploy, json::object()).error ==
        "deploy needs service and version (strings), and takes env (an object of strings) and rollout (true or false)");
  CHECK(call(Verb::deploy, {{"version", "43"}, {"env", {{"A", 1}}}}).code == ExitCode::usage);
  CHECK(call(Verb::undo, {{"to", 1}}).code == ExitCode::usage);
  settings.services[0].versions[2].instances = 2;
  CHECK(promote("v3").body["confirm"] == "only 1 of 2 workers of web v3 are healthy");
  CHECK(call(Verb::remove, {{"version", "v3"}}).code == ExitCode::usage);
  for (const Verb verb : {Verb::deploy, Verb::promote, Verb::undo, Verb::remove}) CHECK(ReleaseVerbs::knows(verb));
  CHECK_FALSE(ReleaseVerbs::knows(Verb::shift));
}

TEST_CASE_FIXTURE(ReleaseVerbsFixture, "an undo aborts the rollout that runs") {
  promote("v3");
  live.change("web", [](ServiceState& state) {
    state.weights["v2"] = 20;
    state.rollout = Rollout{.version = "v2", .state = RolloutState::holding};
  });
  CHECK(call(Verb::undo, json::object()).code == ExitCode::ok);
  CHECK(web().stable == "v1");
  CHECK(web().weights.at("v2") == 0);
  CHECK(web().rollout->state == RolloutState::aborted);
  CHECK(web().rollout->actor == "pid 12, uid 0");
  CHECK(events.front().kind == EventKind::rollout);
  CHECK(events.front().text == "aborted: undo to v1 (requested by pid 12, uid 0)");
}
