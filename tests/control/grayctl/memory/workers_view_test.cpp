#include "control/grayctl/memory/workers_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

using namespace gray::control;
using nlohmann::json;

namespace {

json curves() {
  auto samples = json::array();
  for (int i = 0; i < 120; ++i)
    samples.push_back({{"age_s", 3'600 - 30 * i}, {"bytes", (40 << 20) + i * (1 << 18)}, {"process", 4}});
  json old = {{"id", "web@v1#0"}, {"pid", 9}, {"rss_bytes", 1}, {"memory_bytes", 70 << 20}, {"samples", samples}};
  json fresh = {{"id", "web@v2#0"}, {"pid", 8}, {"rss_bytes", 1}, {"memory_bytes", 45 << 20}};
  fresh["samples"] = json::array();
  json v1 = {{"service", "web"}, {"version", "v1"}, {"stable", true}, {"slope_bytes", 2'048.0}, {"workers", {old}}};
  json v2 = {{"service", "web"}, {"version", "v2"}, {"stable", false}, {"slope_bytes", nullptr}, {"workers", {fresh}}};
  return {{"schema_version", 1}, {"interval_s", 30}, {"versions", {v1, v2}}};
}

}  // namespace

TEST_CASE("each worker has a line with its curve, each version one with its slope") {
  CHECK(view_workers(curves(), {.width = 72}) ==
        "WORKER      NOW    LOW   HIGH  SINCE  LAST HOUR\n"
        "web@v1#0  70MiB  40MiB  70MiB   1h0m  ▁▁▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▅▆▆▆▆▇▇▇▇██\n"
        "web@v2#0  45MiB  45MiB  45MiB      -  █\n"
        "web v1*: +2.0KiB per 1,000 requests to each worker\n"
        "web v2: - per 1,000 requests to each worker\n");
}

TEST_CASE("the table fits the terminal") {
  for (const std::size_t width : {60, 80, 120, 300}) {
    std::istringstream lines(view_workers(curves(), {.width = width}));
    for (std::string line; std::getline(lines, line);) {
      const auto columns = std::count_if(line.begin(), line.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
      CHECK_MESSAGE(columns <= static_cast<std::ptrdiff_t>(width), line);
    }
  }
}

TEST_CASE("a curve has the largest value of each column, and plain characters where there is no UTF-8") {
  CHECK(curve_of({0, 1, 2, 3, 4, 5, 6, 7}, 0, 7, 8, false) == "_.:-=+*#");
  CHECK(curve_of({0, 7, 0, 0}, 0, 7, 2, false) == "#_");
  CHECK(curve_of({5, 5, 5}, 5, 5, 10, false) == "___");
  CHECK(curve_of({}, 0, 1, 10, true).empty());
  CHECK(curve_of({9, -9}, 0, 1, 10, false) == "#_");
}
