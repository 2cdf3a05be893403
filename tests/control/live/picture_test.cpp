#include "control/live/picture.hpp"

#include <doctest/doctest.h>

#include "tests/control/live/figures_of_top.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr TimePoint kPictureTime{std::chrono::seconds(100)};
const WallTime kAtNoon = *wall_time_from("2026-11-30T12:00:00.250Z");

json events_from(int first, int last) {
  json events = json::array();
  for (int number = first; number <= last; ++number) events.push_back({{"sequence", number}, {"kind", "x"}});
  return {{"schema_version", 1}, {"events", std::move(events)}, {"last", last}};
}

}  // namespace

TEST_CASE("a picture is one line with the status, the figures and the events") {
  Picture picture(true);
  CHECK(picture.text(kAtNoon).empty());
  const json status = status_answer({version_answer("v1", 100)});
  picture.take_status(status, kPictureTime);
  picture.take_events(events_from(1, 2));
  json rollout = {{"service", "web"}, {"version", "v2"}, {"state", "holding"}};
  picture.take_rollout("web", rollout);
  const auto text = picture.text(kAtNoon);
  CHECK(text.find('\n') == std::string::npos);
  const json read = json::parse(text);
  CHECK(read["schema_version"] == 1);
  CHECK(read["time_ms"] == kAtNoon.time_since_epoch().count());
  CHECK(read["writable"] == true);
  CHECK(read["status"] == status);
  CHECK(read["figures"]["time"] == "2026-11-30T12:00:00Z");
  CHECK(read["figures"]["versions"].size() == 1);
  CHECK(read["events"].size() == 2);
  CHECK(read["rollouts"] == json::array({rollout}));
  picture.take_rollout("web", std::nullopt);
  CHECK(json::parse(picture.text(kAtNoon))["rollouts"].empty());
  CHECK(json::parse([&] {
          Picture read_only(false);
          read_only.take_status(status, kPictureTime);
          return read_only.text(kAtNoon);
        }())["writable"] == false);
}

TEST_CASE("the newest events are kept, oldest first, and only those after them are asked for") {
  Picture picture(false);
  picture.take_status(status_answer({}), kPictureTime);
  CHECK(picture.next_events()["after"] == 0);
  picture.take_events(events_from(1, 40));
  picture.take_events(events_from(41, 60));
  CHECK(picture.next_events()["after"] == 60);
  CHECK(picture.next_lines()["after"] == 0);
  const json events = json::parse(picture.text(kAtNoon))["events"];
  REQUIRE(events.size() == Picture::kEvents);
  CHECK(events.front()["sequence"] == 11);
  CHECK(events.back()["sequence"] == 60);
}

TEST_CASE("bytes that are not UTF-8 do not break the line") {
  Picture picture(false);
  json version = version_answer("v1", 100);
  version["cause"] = "\xff\n";
  picture.take_status(status_answer({version}), kPictureTime);
  CHECK(json::parse(picture.text(kAtNoon)).is_object());
}

}  // namespace gray::control
