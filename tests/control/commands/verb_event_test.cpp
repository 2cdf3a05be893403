#include "control/commands/verb_event.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

const json kPeer = {{"pid", 4711}, {"uid", 1000}};
const Reply kDone{};

}  // namespace

TEST_CASE("a shift has the version, its share, and the caller") {
  const json args = {{"service", "web"}, {"version", "v2"}, {"percent", 12.5}, {"peer", kPeer}};
  const auto event = verb_event(Verb::shift, args, kDone);
  REQUIRE(event);
  CHECK(event->kind == EventKind::shifted);
  CHECK(event->service == "web");
  CHECK(event->version == "v2");
  CHECK(event->pid == 4711);
  CHECK(event->text == "takes 12.5% of the users (requested by pid 4711, uid 1000)");
}

TEST_CASE("any other verb gives a command event with its name as cause") {
  const auto event = verb_event(Verb::stop, {{"service", "web"}, {"version", "v2"}, {"peer", kPeer}}, kDone);
  REQUIRE(event);
  CHECK(event->kind == EventKind::command);
  CHECK(event->cause == "stop");
  CHECK(event->text == "stop (requested by pid 4711, uid 1000)");
}

TEST_CASE("the event of an upgrade names the part") {
  const auto event = verb_event(Verb::upgrade, {{"of", "router"}, {"peer", kPeer}}, kDone);
  REQUIRE(event);
  CHECK(event->cause == "upgrade");
  CHECK(event->text == "upgrade of the router (requested by pid 4711, uid 1000)");
}

TEST_CASE("an operation that continues after a timeout is reported as such; a refused one gives no event") {
  const json args = {{"service", "web"}, {"peer", kPeer}};
  const auto late = verb_event(Verb::restart, args, {ExitCode::timeout, {}, "not yet"});
  REQUIRE(late);
  CHECK(late->text == "restart (requested by pid 4711, uid 1000): not yet");
  CHECK_FALSE(verb_event(Verb::restart, args, {ExitCode::conflict, {}, "busy"}));
  CHECK_FALSE(verb_event(Verb::restart, args, {ExitCode::failed, {}, "no"}));
}

TEST_CASE("verbs that change nothing give no event, and a reload reports its own") {
  CHECK_FALSE(verb_event(Verb::status, json::object(), kDone));
  CHECK_FALSE(verb_event(Verb::status, {{"peer", 5}}, kDone));
  for (const auto& row : verb_table())
    CHECK(verb_event(row.verb, {{"of", "router"}, {"peer", kPeer}}, kDone).has_value() == row.event.has_value());
  CHECK_FALSE(verb_event(Verb::reload, {{"peer", kPeer}}, kDone));
}

TEST_CASE("an upgrade of grayd itself names the program, if one was given") {
  CHECK(verb_event(Verb::upgrade, {{"of", "grayd"}, {"peer", kPeer}}, kDone)->text ==
        "upgrade of grayd (requested by pid 4711, uid 1000)");
  CHECK(verb_event(Verb::upgrade, {{"of", "grayd"}, {"binary", "/opt/grayd"}, {"peer", kPeer}}, kDone)->text ==
        "upgrade of grayd to /opt/grayd (requested by pid 4711, uid 1000)");
}

TEST_CASE("the events of a release have what was done, and who asked") {
  const json args = {{"service", "web"}, {"version", "43"}, {"peer", kPeer}};
  const auto text = [&](Verb verb, json body) {
    const auto event = verb_event(verb, args, {ExitCode::ok, std::move(body), {}});
    REQUIRE(event);
    CHECK(event->version == "43");
    CHECK(event->cause.empty());
    return event->text;
  };
  CHECK(text(Verb::deploy, {{"cwd", "/srv/43"}}) ==
        "is started without users; cwd /srv/43 (requested by pid 4711, uid 1000)");
  CHECK(text(Verb::promote, {{"from", "42"}}) ==
        "is stable and serves all users instead of 42 (requested by pid 4711, uid 1000)");
  CHECK(text(Verb::remove, {}) == "is drained and removed (requested by pid 4711, uid 1000)");
  CHECK(verb_event(Verb::deploy, args, kDone)->kind == EventKind::deployed);
  CHECK(verb_event(Verb::promote, args, kDone)->kind == EventKind::promoted);
  CHECK(verb_event(Verb::remove, args, kDone)->kind == EventKind::removed);
  CHECK_FALSE(verb_event(Verb::undo, args, kDone));
  CHECK(requested_by(json::object()) == "requested by grayd");
  CHECK(caller_of(json::object()) == "grayd");
  CHECK(caller_of({{"peer", {{"pid", 7}, {"uid", 8}}}}) == "pid 7, uid 8");
  CHECK(caller_of(json::parse(R"({"peer":{"page":"127.0.0.1"}})")) == "page 127.0.0.1");
}
