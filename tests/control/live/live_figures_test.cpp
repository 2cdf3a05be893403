#include "control/live/live_figures.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/control/live/figures_of_top.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr TimePoint kStart{std::chrono::seconds(5'000)};
TimePoint at_second(double seconds) {
  return kStart + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

VersionFigures only_version(const json& version) {
  LiveFigures figures;
  figures.take_status(status_answer({version}), kStart);
  return figures.view().versions.at(0);
}

}  // namespace

TEST_CASE("the figures of a version are those of the status") {
  LiveFigures figures;
  figures.take_status(status_answer({version_answer("v1", 80), version_answer("v2", 20)}), kStart);
  const auto view = figures.view();
  CHECK(view.daemon == "grayd 1.2.3, pid 4711, up 3m5s");
  CHECK(view.trouble.empty());
  REQUIRE(view.versions.size() == 2);
  const VersionFigures& v1 = view.versions[0];
  CHECK(v1.service == "web");
  CHECK(v1.stable);
  CHECK_FALSE(view.versions[1].stable);
  CHECK(v1.weight == 80);
  CHECK(v1.up == 2);
  CHECK(v1.instances == 2);
  CHECK(v1.rate == 12);
  CHECK(v1.p50_ms == 0.4);
  CHECK(v1.p99_ms == 31);
  CHECK(v1.sockets == 3);
  CHECK(v1.waiting == 1);
  CHECK(v1.memory == 4'000);
  CHECK(v1.bad.empty());
  CHECK(view.services.at(0).canary == "v2");
}

TEST_CASE("rate and errors are of the last 10 s as soon as there are two readings") {
  LiveFigures figures;
  figures.take_status(status_answer({version_answer("v1", 100, 100, 0)}), kStart);
  figures.take_status(status_answer({version_answer("v1", 100, 110, 3)}), at_second(0.5));
  const auto v1 = figures.view().versions.at(0);
  CHECK(v1.rate == doctest::Approx(20));
  CHECK(v1.error_ratio == doctest::Approx(0.3));
  CHECK(v1.bad == "30% of the requests of the last 10 s failed");
}

TEST_CASE("a version is bad for each of the reasons, and says which") {
  json version = version_answer("v2", 20);
  CHECK(only_version(version).bad.empty());
  version["last_minute"]["error_ratio"] = 0.009;
  CHECK(only_version(version).bad.empty());
  version["last_minute"]["error_ratio"] = 0.05;
  CHECK(only_version(version).bad == "5.0% of the requests of the last minute failed");
  version = version_answer("v2", 20);
  version["verdict"] = "worse";
  CHECK(only_version(version).bad == "worse than stable");
  version["workers"][1]["state"] = "backoff";
  CHECK(only_version(version).bad == "worse than stable; v2#1 is backoff");
  CHECK(only_version(version).up == 1);
  version["state"] = "failed";
  version["cause"] = "exit 3";
  CHECK(only_version(version).bad == "failed: exit 3");
}

TEST_CASE("errors of the last minute count after those of the last 10 s are over") {
  LiveFigures figures;
  json version = version_answer("v2", 20);
  version["last_minute"]["error_ratio"] = 0.02;
  figures.take_status(status_answer({version}), kStart);
  figures.take_status(status_answer({version}), at_second(1));
  CHECK(figures.view().versions.at(0).bad == "2.0% of the requests of the last minute failed");
}

TEST_CASE("a removed version is forgotten, and one of its name begins anew") {
  LiveFigures figures;
  figures.take_status(status_answer({version_answer("v2", 0, 100)}), kStart);
  figures.take_status(status_answer({}), at_second(1));
  CHECK(figures.view().versions.empty());
  figures.take_status(status_answer({version_answer("v2", 0, 900)}), at_second(2));
  CHECK(figures.view().versions.at(0).rate == 12);
}

TEST_CASE("only events and lines of errors are shown, the newest") {
  LiveFigures figures;
  const auto event = [](const char* kind, const char* text) {
    return json{{"kind", kind}, {"time", "2026-11-30T12:30:05.123Z"}, {"worker", "web@v2#0"}, {"text", text}};
  };
  json stopped = event("worker-exited", "ended as asked");
  stopped["cause"] = "exit 0";
  figures.take_events(
      {{"events", {event("worker-exited", "exit 3"), event("worker-ready", "by pipe"), stopped}}, {"last", 17}});
  CHECK(figures.view().event == "12:30:05 worker-exited web@v2#0: exit 3");
  CHECK(figures.last_event() == 17);
  const auto line = [](const char* stream, const char* text) {
    return json{{"stream", stream}, {"time", "2026-11-30T12:30:06.123Z"}, {"worker", "web@v2#0"}, {"text", text}};
  };
  figures.take_lines({{"lines", {line("stderr", "no database"), line("stdout", "GET /")}}, {"last", 40}});
  figures.take_lines({{"lines", json::array()}, {"last", 0}});
  CHECK(figures.view().line == "12:30:06 web@v2#0: no database");
  CHECK(figures.last_line() == 40);
}

TEST_CASE("the way back fits what is going on") {
  ServiceFigures web{.name = "web", .stable = "v1", .undo_to = {}, .canary = {}, .rollout = {}};
  CHECK(web.way_back().empty());
  web.undo_to = "v0";
  CHECK(web.way_back() == "grayctl undo web");
  web.canary = "v2";
  CHECK(web.way_back() == "grayctl shift web v2 0");
  web.rollout = RolloutFigures{.version = "v2", .state = "holding", .reason = {}};
  CHECK(web.way_back() == "grayctl rollout abort web");
  web.rollout->state = "aborted";
  CHECK(web.way_back() == "grayctl shift web v2 0");
}

TEST_CASE("a rollout is shown with its service, and forgotten when grayd does not have it any more") {
  LiveFigures figures;
  figures.take_status(status_answer({version_answer("v1", 100)}), kStart);
  CHECK(figures.next_rollouts() == std::vector<std::string>{"web"});
  figures.take_rollout("web", json{{"version", "v2"},
                                   {"state", "holding"},
                                   {"step", 2},
                                   {"steps", {1, 5, 25}},
                                   {"weight", 5},
                                   {"reason", "12s until the next step"}});
  const auto rollout = figures.view().services.at(0).rollout;
  REQUIRE(rollout);
  CHECK(rollout->step == 2);
  CHECK(rollout->steps == 3);
  CHECK(rollout->reason == "12s until the next step");
  figures.take_rollout("web", std::nullopt);
  CHECK_FALSE(figures.view().services.at(0).rollout);
}

TEST_CASE("of many services a few are asked for their rollout at once, and all in turn") {
  LiveFigures figures;
  json status = {{"services", json::array()}};
  for (int i = 0; i < 20; ++i)
    status["services"].push_back({{"name", "s" + std::to_string(i)},
                                  {"stable", "v1"},
                                  {"versions", {version_answer("v1", 100), version_answer("v2", i < 10 ? 5 : 0)}}});
  figures.take_status(status, kStart);
  std::set<std::string> asked;
  for (int look = 0; look < 20; ++look) {
    const auto next = figures.next_rollouts();
    CHECK(next.size() <= 4);
    asked.insert(next.begin(), next.end());
  }
  CHECK(asked.size() == 20);
}

TEST_CASE("an answer without its members, or with members of other types, is no error") {
  LiveFigures figures;
  figures.take_status(json::object(), kStart);
  CHECK(figures.view().versions.empty());
  figures.take_status({{"services", {{{"name", 7}, {"versions", {{{"weight", "x"}, {"workers", 3}, {"queue", 1}}}}}}}},
                      at_second(1));
  CHECK(figures.view().versions.size() == 1);
  figures.take_events({{"events", {{{"kind", 1}}}}});
  figures.take_lines(json::object());
}

}  // namespace gray::control
