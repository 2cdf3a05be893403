#include "control/commands/audit_entries.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

using nlohmann::json;

const json kOfWeb = {{"service", "web"}, {"version", "v2"}, {"peer", {{"pid", 4711}, {"uid", 1000}}}};

TEST_CASE("a verb about a version is recorded with its caller if it was carried out") {
  for (const Verb verb : {Verb::deploy, Verb::remove, Verb::start, Verb::stop, Verb::restart, Verb::drain}) {
    const auto entry = audit_of(verb, kOfWeb, Reply{});
    REQUIRE(entry);
    CHECK(entry->what == name_of(verb));
    CHECK(entry->service == "web");
    CHECK(entry->version == "v2");
    CHECK(entry->actor == "pid 4711, uid 1000");
    CHECK(entry->reason.empty());
    CHECK_FALSE(audit_of(verb, kOfWeb, refusal(ExitCode::conflict, "no")));
    CHECK(audit_of(verb, kOfWeb, refusal(ExitCode::timeout, "not yet"))->reason == "not yet");
  }
}

TEST_CASE("verbs that change shares are recorded elsewhere, and those that change nothing never") {
  for (const Verb verb : {Verb::shift, Verb::promote, Verb::undo, Verb::rollout_start, Verb::status, Verb::history})
    CHECK_FALSE(audit_of(verb, kOfWeb, Reply{}));
}

TEST_CASE("an upgrade says of what, and to which program") {
  CHECK(audit_of(Verb::upgrade, {{"of", "router"}}, Reply{})->reason == "router");
  CHECK(audit_of(Verb::upgrade, {{"of", "grayd"}, {"binary", "/opt/grayd"}}, Reply{})->reason == "grayd /opt/grayd");
}

TEST_CASE("a reload is recorded with its changes, and also when it was refused") {
  const Reply good{ExitCode::ok, {{"changes", json::array({"version web v3: started", "service api: added"})}}, {}};
  const auto entry = audit_of(Verb::reload, {{"peer", {{"pid", 1}, {"uid", 0}}}}, good);
  CHECK(entry->what == "reload");
  CHECK(entry->actor == "pid 1, uid 0");
  CHECK(entry->reason == "version web v3: started; service api: added");
  const auto refused = audit_of_reload("signal SIGHUP", refusal(ExitCode::bad_config, "grayd.toml:3: bad\nmore"));
  CHECK(refused.what == "reload-refused");
  CHECK(refused.actor == "signal SIGHUP");
  CHECK(refused.reason == "grayd.toml:3: bad");
}

TEST_CASE("of the events only those about grayd itself are changes") {
  for (int i = 0; i < static_cast<int>(EventKind::count); ++i) {
    const auto kind = static_cast<EventKind>(i);
    const bool about_grayd = kind == EventKind::grayd_started || kind == EventKind::grayd_stopping ||
                             kind == EventKind::upgraded || kind == EventKind::upgrade_failed;
    const auto entry = audit_of(EventRecord{.kind = kind, .text = "it happened"});
    CHECK(entry.has_value() == about_grayd);
    if (!entry) continue;
    CHECK(entry->what == name_of(kind));
    CHECK(entry->actor == "grayd");
    CHECK(entry->reason == "it happened");
  }
}

}  // namespace
}  // namespace gray::control
