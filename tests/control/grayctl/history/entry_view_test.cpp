#include "control/grayctl/history/entry_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace gray::control {
namespace {

using nlohmann::json;

json shift_entry() {
  return {{"id", 42},
          {"time", "2026-11-30T17:04:45.123Z"},
          {"service", "web"},
          {"version", "v2"},
          {"what", "shift"},
          {"actor", "pid 4711, uid 1000"},
          {"pid", 4711},
          {"uid", 1000},
          {"user", "alice"},
          {"reason", ""},
          {"before", {{"stable", "v1"}, {"weights", {{"v1", 100}}}}},
          {"after", {{"stable", "v1"}, {"weights", {{"v1", 80}, {"v2", 20}}}}},
          {"revision", 7},
          {"verdict", nullptr}};
}

json abort_entry() {
  auto entry = shift_entry();
  entry.update({{"id", 43},
                {"what", "rollout-abort"},
                {"actor", "grayd"},
                {"pid", nullptr},
                {"uid", nullptr},
                {"user", nullptr},
                {"reason", "7 of 90 users had errors, on stable 1 of 900"}});
  std::swap(entry["before"], entry["after"]);
  const json figures{{"requests", 100},     {"users", 90}, {"failed", 7},
                     {"error_ratio", 0.08}, {"p50_ms", 2}, {"p99_ms", 30}};
  entry["verdict"] = {
      {"result", "fail"}, {"metric", "errors"}, {"text", "too many errors"}, {"stable", figures}, {"canary", figures}};
  return entry;
}

json reload_entry() {
  return {{"id", 44},
          {"time", "2026-11-30T17:04:46.123Z"},
          {"service", ""},
          {"version", ""},
          {"what", "reload"},
          {"actor", "signal SIGHUP"},
          {"pid", nullptr},
          {"uid", nullptr},
          {"user", nullptr},
          {"reason", "service web: new routing"},
          {"before", nullptr},
          {"after", nullptr},
          {"revision", nullptr},
          {"verdict", nullptr}};
}

std::vector<std::string> lines_in(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

TEST_CASE("a table has a line for each change: when, what, the weight, who and why") {
  const auto view = view_entries(json::array({shift_entry(), abort_entry(), reload_entry()}), {.width = 140});
  const auto lines = lines_in(view);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].starts_with("TIME (UTC)      ID  SERVICE  VERSION  WHAT"));
  CHECK(lines[1] == "11-30 17:04:45  42  web      v2       shift          0 → 20%  alice 4711");
  CHECK(lines[2] ==
        "11-30 17:04:45  43  web      v2       rollout-abort  20 → 0%  grayd          7 of 90 users had errors, on "
        "stable 1 of 900");
  CHECK(lines[3] ==
        "11-30 17:04:46  44                    reload                  signal SIGHUP  service web: new routing");
}

TEST_CASE("a table fits every terminal") {
  for (const std::size_t width : {40, 60, 80, 100, 200})
    for (const auto& line : lines_in(view_entries(json::array({shift_entry(), abort_entry()}), {.width = width})))
      if (width >= 80) CHECK(columns(line) <= width);
}

TEST_CASE("without changes there is a sentence") { CHECK(view_entries(json::array(), {}) == "no changes\n"); }

TEST_CASE("a change that is shown as it comes is one line") {
  CHECK(view_entry_line(shift_entry(), {}) == "11-30 17:04:45  shift            web v2 0 → 20%, by alice 4711\n");
  CHECK(view_entry_line(reload_entry(), {}) ==
        "11-30 17:04:46  reload          , by signal SIGHUP: service web: new routing\n");
  CHECK(columns(view_entry_line(abort_entry(), {.width = 60})) == 61);
}

TEST_CASE("one change is shown with everything, also the figures of its verdict") {
  const auto view = view_entry(abort_entry(), {});
  CHECK(
      view.starts_with("#43  rollout-abort web v2\n"
                       "time      2026-11-30T17:04:45.123Z\n"
                       "who       grayd\n"
                       "why       7 of 90 users had errors, on stable 1 of 900\n"
                       "stable    v1\n"
                       "users     v1 80%, v2 20% → v1 100%\n"
                       "revision  7\n"
                       "verdict: fail: too many errors\n"));
  CHECK(view.find("canary        100     90             7   8.00%     2.0    30.0\n") != std::string::npos);
  const auto shift = view_entry(shift_entry(), {});
  CHECK(shift.find("who       pid 4711, uid 1000, user alice\n") != std::string::npos);
  CHECK(shift.find("why") == std::string::npos);
  CHECK(
      view_entry(reload_entry(), {}) ==
      "#44  reload\ntime      2026-11-30T17:04:46.123Z\nwho       signal SIGHUP\nwhy       service web: new routing\n");
}

TEST_CASE("control characters and members of a different type do no harm") {
  auto entry = shift_entry();
  entry["reason"] = "a\x1b[31mb";
  entry["before"] = 5;
  entry["after"] = {{"weights", 7}};
  entry["verdict"] = {{"stable", 5}};
  for (const auto& view : {view_entries(json::array({entry}), {}), view_entry_line(entry, {})})
    CHECK(view.find('\x1b') == std::string::npos);
  CHECK(view_entries(json::array({json::object()}), {}).find("TIME") == 0);
}

}  // namespace
}  // namespace gray::control
