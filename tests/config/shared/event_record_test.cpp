#include "config/shared/event_record.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "config/base/archive.hpp"

using namespace gray;
using namespace std::chrono_literals;

namespace {

EventRecord an_exit() {
  EventRecord event;
  event.sequence = 7;
  event.time = WallTime(1'795'452'285'042ms);
  event.kind = EventKind::worker_exited;
  event.service = "web";
  event.version = "v2";
  event.worker = "web@v2#0";
  event.pid = 4711;
  event.cause = "exit 3";
  event.text = "ended: exit 3";
  return event;
}

}  // namespace

TEST_CASE("every kind has a unique name, from which it can be read back") {
  std::set<std::string> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(EventKind::count); ++i) {
    const auto kind = static_cast<EventKind>(i);
    names.insert(name_of(kind));
    CHECK(event_kind_from(name_of(kind)) == kind);
  }
  CHECK(names.size() == static_cast<std::size_t>(EventKind::count));
  CHECK_FALSE(event_kind_from("worker-vanished"));
}

TEST_CASE("an event survives its JSON") {
  const auto json = to_json(an_exit());
  const auto back = event_from_json(json);
  REQUIRE(back);
  CHECK(to_json(*back) == json);
  CHECK(json["kind"] == "worker-exited");
  CHECK(json["pid"] == 4711);
  EventRecord bare;
  bare.kind = EventKind::grayd_started;
  CHECK(to_json(bare) ==
        nlohmann::json{{"sequence", 0}, {"time", "1970-01-01T00:00:00.000Z"}, {"kind", "grayd-started"}, {"text", ""}});
}

TEST_CASE("text that is not an event is refused") {
  const auto whole = to_json(an_exit());
  for (const auto* name : {"sequence", "time", "kind"}) {
    CAPTURE(name);
    auto damaged = whole;
    damaged.erase(name);
    CHECK_FALSE(event_from_json(damaged));
    damaged[name] = nlohmann::json::array();
    CHECK_FALSE(event_from_json(damaged));
  }
  CHECK_FALSE(event_from_json(nlohmann::json("text")));
  CHECK_FALSE(event_from_json(nlohmann::json()));
  auto odd = whole;
  odd["pid"] = "many";
  CHECK(event_from_json(odd)->pid == 0);
}

TEST_CASE("an archived event of an unknown kind is refused") {
  auto event = an_exit();
  Save save;
  event.archive(save);
  auto json = save.take();
  CHECK_NOTHROW(Load(json).operator()("kind", event.kind));
  json["kind"] = "worker-vanished";
  CHECK_THROWS_WITH_AS(Load(json).operator()("kind", event.kind), "\"kind\" is not a known name", JsonMismatch);
}
