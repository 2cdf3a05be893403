#include "control/commands/version_verbs.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "tests/control/commands/fake_host.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

struct VersionVerbsFixture : test::FakeHost {
  VersionVerbs verbs{*this, settings, live};

  VersionVerbsFixture() { views.push_back(test::version_view("v3", {test::worker("web@v3#0", 2, true)})); }
  Reply call(Action what, const std::string& version, json more = json::object()) {
    json args = {{"service", "web"}, {"version", version}};
    args.update(more);
    std::optional<Reply> reply;
    verbs.call(what, args, [&](Reply answer) { reply = std::move(answer); });
    REQUIRE(reply);
    return *reply;
  }
  bool stopped(const std::string& version) const {
    CHECK(is_stopped(live.wanted(), "web", version) == is_stopped(live.published(), "web", version));
    return is_stopped(live.wanted(), "web", version);
  }
};

using Happened = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(VersionVerbsFixture, "stopping acts first and is saved afterwards") {
  for (const auto ending : {Action::stop, Action::drain}) {
    happened.clear();
    live.set_stopped("web", "v3", false);
    const auto reply = call(ending, "v3");
    CHECK(reply.code == ExitCode::ok);
    CHECK(reply.body == json{{"schema_version", 1}, {"verb", name(ending)}, {"service", "web"}, {"version", "v3"}});
    CHECK(happened == Happened{std::string(name(ending)) + " v3", "saved"});
    CHECK(stopped("v3"));
  }
}

TEST_CASE_FIXTURE(VersionVerbsFixture, "a stop that cannot be saved still happens, and reports the error") {
  disk_error = "the disk is full";
  const auto reply = call(Action::stop, "v3");
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error == "web v3 is being stopped, but the disk is full");
  CHECK(stopped("v3"));
}

TEST_CASE_FIXTURE(VersionVerbsFixture, "starting is saved first") {
  views[1].state = VersionState::stopped;
  live.set_stopped("web", "v3", true);
  CHECK(call(Action::start, "v3").code == ExitCode::ok);
  CHECK(happened == Happened{"saved", "start v3"});
  CHECK_FALSE(stopped("v3"));
}

TEST_CASE_FIXTURE(VersionVerbsFixture, "a start that cannot be saved starts nothing") {
  views[1].state = VersionState::stopped;
  live.set_stopped("web", "v3", true);
  disk_error = "the disk is full";
  CHECK(call(Action::start, "v3").error == "nothing was started: the disk is full");
  CHECK(happened == Happened{"saved"});
  CHECK(stopped("v3"));
}

TEST_CASE_FIXTURE(VersionVerbsFixture,
                  "a start is refused if grayd stops or the version is removed while it is being saved") {
  views[1].state = VersionState::stopped;
  while_saving = [this] { is_stopping = true; };
  CHECK(call(Action::start, "v3").error == "grayd is stopping; nothing was started");
  is_stopping = false;
  while_saving = [this] { settings.services[0].versions.pop_back(); };
  CHECK(call(Action::start, "v3").error == "a reload removed web v3 meanwhile; nothing was started");
  CHECK(happened == Happened{"saved", "saved"});
}

TEST_CASE_FIXTURE(VersionVerbsFixture, "a restart answers with its number") {
  CHECK(call(Action::restart, "v1").body["restart"] == json{{"number", 7}});
  CHECK(happened == Happened{"restart v1"});
}

TEST_CASE_FIXTURE(VersionVerbsFixture, "a refusal has the text to confirm, and \"yes\" confirms it") {
  auto reply = call(Action::stop, "v1");
  CHECK(reply.code == ExitCode::conflict);
  CHECK(reply.body["confirm"] == "v1 is the stable version of web, whose users would get errors");
  CHECK(happened.empty());
  CHECK(call(Action::stop, "v1", {{"yes", true}}).code == ExitCode::ok);
}

TEST_CASE_FIXTURE(VersionVerbsFixture, "invalid arguments are refused") {
  for (const json& more : {json{{"service", 1}}, json{{"version", nullptr}}, json{{"yes", "yes"}}}) {
    const auto reply = call(Action::drain, "v3", more);
    CHECK(reply.code == ExitCode::usage);
    CHECK(reply.error == "drain needs service and version (strings), and takes yes (true or false)");
  }
}
