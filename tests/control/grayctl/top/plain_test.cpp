#include "control/grayctl/top/plain.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/control/live/figures_of_top.hpp"

namespace gray::control {
namespace {

constexpr const char* kNoon = "2026-11-30T12:00:00Z";

TopView view_of(const nlohmann::json& status) {
  LiveFigures figures;
  figures.take_status(status, TimePoint{std::chrono::seconds(100)});
  return figures.view();
}

std::vector<std::string> fields(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

}  // namespace

TEST_CASE("a line has a field for each title") {
  nlohmann::json bad = version_answer("v2", 20);
  bad["last_minute"]["error_ratio"] = 0.5;
  bad["verdict"] = "worse";
  const auto lines = plain_lines(view_of(status_answer({version_answer("v1", 80), bad})), kNoon);
  CHECK(fields(plain_titles()) == std::vector<std::string>{"TIME", "SERVICE", "VERSION", "STABLE", "WEIGHT", "UP",
                                                           "INSTANCES", "RPS", "ERR%", "P50_MS", "P99_MS", "SOCKS",
                                                           "QUEUE", "MEM_BYTES", "VERDICT", "MARK"});
  const auto end = lines.find('\n');
  CHECK(fields(lines.substr(0, end)) == std::vector<std::string>{kNoon, "web", "v1", "yes", "80", "2", "2", "12.0",
                                                                 "0.00", "0.4", "31.0", "3", "1", "4000", "none",
                                                                 "ok"});
  CHECK(fields(lines.substr(end)) == std::vector<std::string>{kNoon, "web", "v2", "no", "20", "2", "2", "12.0", "50.00",
                                                              "0.4", "31.0", "3", "1", "4000", "worse", "bad"});
}

TEST_CASE("a field is never empty, has no spaces and no control characters") {
  nlohmann::json version = version_answer("v 2\x1b[31m\n", 20);
  version["verdict"] = "";
  const auto lines = plain_lines(view_of(status_answer({version})), kNoon);
  CHECK(fields(lines).size() == fields(plain_titles()).size());
  CHECK(fields(lines)[2] == "v_2_[31m_");
  CHECK(fields(lines)[14] == "-");
  CHECK(lines.find('\x1b') == std::string::npos);
}

}  // namespace gray::control
