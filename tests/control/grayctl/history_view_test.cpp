#include "control/grayctl/history_view.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace gray::control;
using nlohmann::json;

namespace {

json event_of_kind(const std::string& kind, const std::string& text) {
  return {{"sequence", 1}, {"time", "2026-11-23T17:04:45.123Z"}, {"kind", kind}, {"pid", 4711}, {"text", text}};
}

json a_line(std::uint64_t number, const std::string& text) {
  return {{"sequence", number},   {"number", number},   {"time", "2026-11-23T17:04:45.123Z"},
          {"worker", "web@v1#0"}, {"stream", "stdout"}, {"cut", false},
          {"text", text}};
}

}  // namespace

TEST_CASE("an event is one line: time, kind, subject, text") {
  json event = event_of_kind("worker-exited", "exit 3");
  event["worker"] = "web@v1#0";
  CHECK(view_event(event, {}) == "11-23 17:04:45.123  worker-exited        web@v1#0    exit 3\n");
  event.erase("worker");
  event["service"] = "web";
  event["version"] = "v2";
  CHECK(view_event(event, {}) == "11-23 17:04:45.123  worker-exited        web v2      exit 3\n");
  CHECK(view_event(event_of_kind("router-ready", "slot 0"), {}) ==
        "11-23 17:04:45.123  router-ready         router 4711  slot 0\n");
  CHECK(view_event(event_of_kind("grayd-started", ""), {}) == "11-23 17:04:45.123  grayd-started        grayd 4711\n");
  CHECK(view_event(json::object(), {}) == "                       grayd\n");
}

TEST_CASE("a long text continues on the next lines, and no line is wider than the terminal") {
  json event =
      event_of_kind("version-rolled-back", std::string("word ") + std::string(150, 'x') + " and the end of it");
  event["worker"] = "a-service-with-a-long-name@v1.2.3#0";
  for (const std::size_t width : {40u, 80u, 120u, 300u}) {
    CAPTURE(width);
    std::istringstream lines(view_event(event, {.width = width}));
    std::string all;
    for (std::string line; std::getline(lines, line);) {
      // time, kind and subject are in one line even if it is too narrow
      if (!all.empty()) CHECK(line.size() <= width);
      all += line + " ";
    }
    CHECK(all.find("and the end of it") != std::string::npos);
  }
}

TEST_CASE("colours do not change the text, and control characters are removed") {
  json event = event_of_kind("worker-exited",
                             "a\x1b[2Jb\xc2\x9b"
                             "c\n");
  const std::string plain = view_event(event, {});
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(plain.find("\xc2\x9b") == std::string::npos);
  std::string coloured = view_event(event, {.width = 80, .colour = true});
  for (const std::string code : {"\x1b[31m", "\x1b[0m"}) {
    REQUIRE(coloured.find(code) != std::string::npos);
    coloured.erase(coloured.find(code), code.size());
  }
  CHECK(coloured == plain);
}

TEST_CASE("missing events are reported, except before the first event") {
  const json answer = {{"oldest", 501}, {"events", json::array()}};
  CHECK(view_missing_events(answer, 0, {}).empty());
  CHECK(view_missing_events(answer, 500, {}).empty());
  CHECK(view_missing_events(answer, 400, {}) == "(100 events are missing: they came too fast to be kept)\n");
}

TEST_CASE("a line of a worker has time, worker and stream") {
  LogView log{{}};
  CHECK(log.view(a_line(7, "hello")) == "11-23 17:04:45.123  web@v1#0  out  hello\n");
  json line = a_line(8, "oh \x1b[31mno\tthere");
  line["stream"] = "stderr";
  line["cut"] = true;
  CHECK(log.view(line) == "11-23 17:04:45.123  web@v1#0  err  oh  [31mno there…\n");
}

TEST_CASE("a gap within one worker is reported; a new worker has none") {
  LogView log{{}};
  log.view(a_line(7, "a"));
  CHECK(log.view(a_line(10, "b")).starts_with("(2 lines of web@v1#0 are missing: they came too fast to be kept)\n"));
  json other = a_line(90, "c");
  other["worker"] = "web@v1#1";
  CHECK(log.view(other).find("missing") == std::string::npos);
  CHECK(log.view(a_line(1, "d")).find("missing") == std::string::npos);
}
