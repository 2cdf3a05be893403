#include "control/grayctl/memory/memory_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "control/grayctl/memory/memory_diff.hpp"

using namespace gray::control;
using nlohmann::json;

namespace {

json example() {
  json queue = {{"owner", "queue"}, {"service", "web"}, {"version", "v1"},
                {"count", 49},      {"bytes", 123'456}, {"high_water_bytes", 200'000}};
  json empty = {{"owner", "tunnels"}, {"service", nullptr}, {"version", nullptr},
                {"count", 0},         {"bytes", 0},         {"high_water_bytes", 0}};
  json code = {{"owner", "code"}, {"service", nullptr}, {"version", nullptr},
               {"count", 20},     {"bytes", 4'000'000}, {"high_water_bytes", 4'000'000}};
  json holder = {{"owner", "client-connections"},
                 {"client", "192.0.2.1:40000"},
                 {"path", "/a/very/long/path/that/does/not/fit/\x1b[31m/into/the/terminal/of/anybody"},
                 {"service", "web"},
                 {"version", "v1"},
                 {"worker", "web@v1#0"},
                 {"bytes", 70'000},
                 {"kernel_bytes", 2'500'000},
                 {"age_s", 75.2},
                 {"waits_for", "client to read"}};
  return {{"schema_version", 1},
          {"rss_bytes", 5'000'000},
          {"accounted_bytes", 4'800'000},
          {"kernel_bytes", 2'600'000},
          {"owners", {queue, empty, code}},
          {"largest", {holder}},
          {"leaks", json::array()},
          {"routers", {{{"pid", 7}, {"state", "ready"}, {"answered", true}}}}};
}

void check_fits(const std::string& view, std::size_t width) {
  std::istringstream lines(view);
  for (std::string line; std::getline(lines, line);) {
    const auto columns = std::count_if(line.begin(), line.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
    CHECK_MESSAGE(columns <= static_cast<std::ptrdiff_t>(width), line);
    CHECK(line.find('\x1b') == std::string::npos);
  }
}

}  // namespace

TEST_CASE("owners, their sum and the largest holders as tables") {
  CHECK(view_memory(example(), {.width = 120}) ==
        "OWNER  VERSION  COUNT   BYTES    PEAK\n"
        "queue  web v1      49  121KiB  195KiB\n"
        "code   -           20  3.8MiB  3.8MiB\n"
        "accounted 4.6MiB of 4.8MiB (96 %); 2.5MiB more in sockets of the kernel\n"
        "\n"
        "HOLDS KERNEL OWNER  VERSION CLIENT          PATH                                                      AGE "
        "WAITS FOR\n"
        "68KiB 2.4MiB client web v1  192.0.2.1:40000 /a/very/long/path/that/does/not/fit/ [31m/into/the/ter… 1m15s "
        "client to read\n");
}

TEST_CASE("the tables fit the terminal, and a path cannot control it") {
  json answer = example();
  answer["leaks"] = {{{"site", "engine/send_tail.cpp:12"}, {"held_by", "client 12"}, {"count", 3}, {"bytes", 9}}};
  answer["routers"].push_back({{"pid", 6}, {"state", "draining"}, {"answered", false}});
  for (const std::size_t width : {78, 80, 100, 120, 200}) {
    CAPTURE(width);
    const std::string view = view_memory(answer, {.width = width});
    check_fits(view, width);
    CHECK(view.find("send_tail") != std::string::npos);
    CHECK(view.find("router 6 (draining) did not answer\n") != std::string::npos);
  }
}

TEST_CASE("two moments: what has changed, and in which time") {
  json later = example();
  json earlier = example();
  earlier["owners"][0]["bytes"] = 3'456;
  earlier["owners"][0]["count"] = 50;
  earlier["rss_bytes"] = 6'000'000;
  add_changes(later, earlier, 10);
  const std::string view = view_memory(later, {.width = 100});
  CHECK(view.find("COUNT+-  BYTES+-\n") != std::string::npos);
  CHECK(view.find("     -1  +117KiB\n") != std::string::npos);
  CHECK(view.find("\nin 10 s: process -977KiB, accounted 0, kernel 0\n") != std::string::npos);
  check_fits(view, 100);
}
