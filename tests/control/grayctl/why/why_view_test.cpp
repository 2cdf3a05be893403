#include "control/grayctl/why/why_view.hpp"

#include <doctest/doctest.h>

#include <sstream>

namespace gray::control {
namespace {

using nlohmann::json;

const json kAnswer = {
    {"text", "cookie uid=77 → bucket 38.1 % ≥ 20 % → stable v1"},
    {"request", {{"method", "GET"}, {"host", "localhost:8000"}, {"path", "/x?y=1"}, {"client", "127.0.0.1"}}},
    {"service", "web"},
    {"table", 3},
    {"asset", false},
    {"steps", json::array({json{{"label", "param"}, {"text", "version: absent"}},
                           json{{"label", "identity"}, {"text", "cookie:uid: 77"}},
                           json{{"label", "bucket"}, {"text", "38.1 % ≥ 20 % of salt web/v2"}}})}};

TEST_CASE("the decision, then what led to it") {
  CHECK(view_why(kAnswer, {}) ==
        "cookie uid=77 → bucket 38.1 % ≥ 20 % → stable v1\n\n"
        "  request   GET localhost:8000/x?y=1 from 127.0.0.1\n"
        "  service   web, routing table 3\n"
        "  param     version: absent\n"
        "  identity  cookie:uid: 77\n"
        "  bucket    38.1 % ≥ 20 % of salt web/v2\n");
}

TEST_CASE("a terminal that does not read UTF-8 gets ASCII") {
  CHECK(view_why(kAnswer, {.utf8 = false}).starts_with("cookie uid=77 -> bucket 38.1 % >= 20 % -> stable v1\n"));
  CHECK(shown_on({.utf8 = false}, "a…") == "a...");
  CHECK(shown_on({}, "a→b") == "a→b");
}

TEST_CASE("a line of the log has its outcome, too") {
  json answer = kAnswer;
  answer["asset"] = true;
  answer["request"]["time"] = "2026-11-30T02:21:19.855399Z";
  answer["replay"] = {{"text", "the same"}};
  answer["logged"] = {{"status", 502},       {"reason", "upstream-closed"}, {"worker", "web@v1#0"}, {"bytes_out", 12},
                      {"duration_us", 3560}, {"queued_us", 1500},           {"retries", 1},         {"fault", "P12"},
                      {"offset", 5},         {"fault_side", "upstream"}};
  const std::string view = view_why(answer, {.width = 120});
  for (const char* row :
       {"from 127.0.0.1 at 2026-11-30T02:21:19.855399Z\n",
        "  answer    502 upstream-closed by web@v1#0, 12 bytes in 3.6 ms, 1.5 ms in the queue, 1 retry\n",
        "  fault     the upstream side broke rule P12 at offset 5\n", "  file      a file of a page",
        "  replay    the same\n"}) {
    CAPTURE(view);
    CHECK(view.find(row) != std::string::npos);
  }
}

TEST_CASE("nothing is wider than the terminal, and no control character reaches it") {
  json answer = kAnswer;
  answer["request"]["path"] = "/" + std::string(300, 'x') + "\x1b[31m";
  const std::string view = view_why(answer, {.width = 40});
  CHECK(view.find('\x1b') == std::string::npos);
  std::istringstream lines(view);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 40 + 8);  // arrows have three bytes
}

}  // namespace
}  // namespace gray::control
