#include "control/grayctl/top/frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace gray::control {
namespace {

std::size_t columns_of(const std::string& line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

VersionFigures figures(const std::string& service, const std::string& name, double weight) {
  return {.service = service,
          .name = name,
          .state = "serving",
          .cause = {},
          .stable = name == "v1",
          .weight = weight,
          .up = 2,
          .instances = 2,
          .rate = 120,
          .minute_rate = 100,
          .p50_ms = 0.4,
          .p99_ms = 29,
          .sockets = 4,
          .memory = 50 << 20,
          .verdict = "none",
          .why = {},
          .seconds = std::vector<double>(60, 7.0),
          .bad = {}};
}

TopView good_and_bad() {
  TopView view{.daemon = "grayd 1.2.3, pid 4711, up 3m5s", .trouble = {}, .event = {}, .line = {}};
  view.versions = {figures("web", "v1", 80), figures("web", "v2", 20)};
  VersionFigures& v2 = view.versions[1];
  v2.rate = 30;
  v2.error_ratio = v2.minute_error_ratio = 0.22;
  v2.verdict = "worse";
  v2.why = "errors: 8 of 40 users, stable 0 of 160";
  v2.bad = "22% of the requests of the last 10 s failed";
  view.services = {{.name = "web", .stable = "v1", .undo_to = {}, .canary = "v2", .rollout = {}}};
  view.services[0].rollout = RolloutFigures{.version = "v2",
                                            .state = "holding",
                                            .reason = "12s until the next step",
                                            .step = 2,
                                            .steps = 5,
                                            .weight = 20,
                                            .hold_s = 120};
  view.event = "12:30:05 worker-exited web@v2#0: exit 3";
  view.line = "12:30:06 web@v2#0: no database";
  return view;
}

TopView forty() {
  TopView view{.daemon = "grayd", .trouble = {}, .event = {}, .line = {}};
  for (int i = 1; i <= 40; ++i) view.versions.push_back(figures("web", "v" + std::to_string(i), i == 1 ? 100 : 0));
  view.versions[38].bad = "failed: exit 3";
  view.services = {{.name = "web", .stable = "v1", .undo_to = "v0", .canary = {}, .rollout = {}}};
  return view;
}

std::vector<std::string> drawn(const TopView& view, std::size_t width, std::size_t height,
                               const Controls& controls = {}) {
  const auto lines = frame(view, controls, {.width = width, .height = height});
  CHECK(lines.size() == height);
  for (const auto& line : lines) {
    CAPTURE(line);
    CHECK(columns_of(line) <= width);
  }
  return lines;
}

bool has(const std::vector<std::string>& lines, const std::string& text) {
  return std::ranges::any_of(lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("80 columns and 24 lines hold every column, what is bad and why, and the way back") {
  const auto lines = drawn(good_and_bad(), 80, 24);
  CHECK(lines[0] == "grayd 1.2.3, pid 4711, up 3m5s");
  CHECK(lines[1] == "  SERVICE VERSION WEIGHT  UP RPS ERR%   P50  P99 RPS OF 60s   SOCKS QUEUE   MEM");
  CHECK(lines[2] == "  web     v1*        80% 2/2 120    0 0.4ms 29ms ████████████     4     0 50MiB");
  CHECK(lines[3] == "! web     v2         20% 2/2  30   22 0.4ms 29ms ████████████     4     0 50MiB");
  CHECK(lines[4] == "! BAD    web v2: 22% of the requests of the last 10 s failed");
  CHECK(lines[5] == "verdict  web v2 / v1: worse: errors 22%/0%, p50 0.4ms/0.4ms, p99 29ms/29ms");
  CHECK(lines[6] == "         errors: 8 of 40 users, stable 0 of 160");
  CHECK(lines[7] == "rollout  web v2: holding, step 2 of 5 (20%); 12s until the next step, then at");
  CHECK(lines[8] == "         least 6m0s");
  CHECK(lines[9] == "go back  grayctl rollout abort web");
  CHECK(lines[10] == "event    12:30:05 worker-exited web@v2#0: exit 3");
  CHECK(lines[11] == "stderr   12:30:06 web@v2#0: no database");
  CHECK(lines[23] == "q quit  s/S sort  / filter  p pause  ? help");
}

TEST_CASE("60 columns leave columns out, not the rows, the rates or the marks") {
  const auto lines = drawn(good_and_bad(), 60, 20);
  CHECK(has(lines, "! web     v2"));
  CHECK(has(lines, "ERR%"));
  CHECK(has(lines, "██████████"));
  CHECK_FALSE(has(lines, "MEM"));
}

TEST_CASE("200 columns have longer bars, the state and the verdict") {
  const auto lines = drawn(good_and_bad(), 200, 50);
  CHECK(has(lines, "STATE"));
  CHECK(has(lines, "worse"));
  std::string bars;
  for (int i = 0; i < 60; ++i) bars += "█";
  CHECK(has(lines, bars));
}

TEST_CASE("the narrowest terminal and the lowest have what fits") {
  CHECK(has(drawn(good_and_bad(), 40, 24), "! web"));
  CHECK(drawn(good_and_bad(), 80, 4).front().starts_with("grayd"));
  CHECK(has(drawn(good_and_bad(), 80, 8), "more lines"));
  for (std::size_t height = 4; height < 30; ++height) drawn(forty(), 80, height);
}

TEST_CASE("long names are cut") {
  TopView view = good_and_bad();
  for (VersionFigures& its : view.versions) {
    its.service = std::string(64, 's');
    its.name += std::string(62, 'v');
  }
  view.services[0].name = std::string(64, 's');
  CHECK(has(drawn(view, 80, 24), "… v1vvvv"));
  CHECK(has(drawn(view, 60, 20), "…"));
  CHECK(has(drawn(view, 200, 50), "MEM"));
}

TEST_CASE("a long text continues on a second line, and no further") {
  TopView view = good_and_bad();
  for (int i = 0; i < 60; ++i) view.line += " word" + std::to_string(i);
  const auto lines = drawn(view, 80, 24);
  CHECK(lines[11].starts_with("stderr   12:30:06"));
  CHECK(lines[12].starts_with("         word"));
  CHECK(lines[12].ends_with("…"));
  CHECK(lines[13].empty());
}

TEST_CASE("of 40 versions those that do not fit are counted, and the bad ones among them") {
  const auto lines = drawn(forty(), 80, 24);
  CHECK(has(lines, "… 22 more versions, 1 of them bad; / shows fewer"));
  CHECK(has(lines, "! BAD    web v39: failed: exit 3"));
  CHECK(has(lines, "go back  grayctl undo web"));
  CHECK_FALSE(has(drawn(forty(), 80, 50), "more versions"));
  const auto filtered = drawn(forty(), 80, 24, {.filter = "v39"});
  CHECK(filtered[2].starts_with("! web     v39"));
  CHECK_FALSE(has(filtered, "v38"));
}

TEST_CASE("control characters of names, events and output do not reach the terminal") {
  TopView view = good_and_bad();
  const std::string hostile =
      "\x1b[2J\x1b]0;title\x07\r\n\xc2\x9b"
      "31m\xe2\x80\xae\xff";
  view.daemon += hostile;
  view.event = view.line = view.versions[1].bad = view.versions[1].why = hostile;
  view.versions[1].service = view.versions[1].name = view.versions[1].state = hostile;
  view.services[0].rollout->reason = view.services[0].rollout->state = hostile;
  for (const std::string& trouble : {std::string(), hostile}) {
    view.trouble = trouble;
    for (const std::size_t width : {60, 80, 200})
      for (const std::string& line : drawn(view, width, 24, {.filter = "", .help = true})) {
        CHECK(std::ranges::none_of(line, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }));
        for (const char* bad : {"\xc2\x9b", "\xe2\x80\xae", "\xff"}) CHECK(line.find(bad) == std::string::npos);
      }
  }
}

TEST_CASE("with colours the row of a bad version is red") {
  const auto lines = frame(good_and_bad(), {}, {.width = 80, .colour = true, .height = 24});
  CHECK(lines[3].starts_with("\x1b[31m!\x1b[0m"));
  CHECK(lines[2].find("\x1b[31m") == std::string::npos);
  CHECK(lines.size() == 24);
}

TEST_CASE("a terminal that reads no UTF-8 gets ASCII bars") {
  const auto lines = frame(good_and_bad(), {}, {.width = 80, .height = 24, .utf8 = false});
  CHECK(has(lines, "##########"));
}

TEST_CASE("versions are sorted by the chosen column, the largest first") {
  TopView view = good_and_bad();
  CHECK(chosen_versions(view, {.sort = SortBy::rate})[0].name == "v1");
  CHECK(chosen_versions(view, {.sort = SortBy::errors})[0].name == "v2");
  CHECK(chosen_versions(view, {.sort = SortBy::p99})[0].name == "v1");
  CHECK(has(drawn(view, 80, 24, {.sort = SortBy::errors}), "sorted by err%"));
}

TEST_CASE("the first and the last line say what the keys have done") {
  const TopView view = good_and_bad();
  CHECK(drawn(view, 80, 24, {.paused = true})[0].starts_with("PAUSED (p goes on)"));
  CHECK(drawn(view, 80, 24, {.filter = "v2"})[0].ends_with("only \"v2\""));
  CHECK(drawn(view, 80, 24, {.filter = "v2", .typing = true})[23] == "/v2_  Enter: keep this filter, Esc: show all");
  CHECK(has(drawn(view, 80, 24, {.filter = "v9"}), "(no version matches the filter)"));
  CHECK(has(drawn(view, 80, 24, {.help = true}), "! and red: bad, see below"));
}

TEST_CASE("trouble is the first line, over the last figures") {
  TopView view = good_and_bad();
  view.trouble = "no answer for 5s, retrying: no process listens";
  const auto lines = drawn(view, 80, 24);
  CHECK(lines[0] == view.trouble);
  CHECK(has(lines, "! web     v2"));
  CHECK(has(drawn({}, 80, 24), "(no version)"));
}

TEST_CASE("a version without requests has no figures to compare") {
  TopView view = good_and_bad();
  view.versions[1].minute_rate = view.versions[1].rate = 0;
  view.versions[1].verdict = "insufficient";
  const auto lines = drawn(view, 80, 24);
  CHECK(has(lines, "verdict  web v2 / v1: unclear: no requests in the last minute"));
  CHECK(has(lines, "  0    -     -    -"));
}

}  // namespace gray::control
