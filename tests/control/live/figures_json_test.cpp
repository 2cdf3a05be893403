#include "control/live/figures_json.hpp"

#include <doctest/doctest.h>

#include "tests/control/live/figures_of_top.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr const char* kNoon = "2026-11-30T12:00:00Z";

TopView figures_view() {
  LiveFigures figures;
  const TimePoint start{std::chrono::seconds(100)};
  json bad = version_answer("v2", 20, 100);
  bad["verdict"] = "worse";
  bad["verdict_text"] = "5 % of its requests fail";
  figures.take_status(status_answer({version_answer("v1", 80, 100), bad}), start);
  figures.take_status(status_answer({version_answer("v1", 80, 110), bad}), start + Duration{3'000});
  figures.take_rollout("web", json{{"version", "v2"}, {"state", "holding"}, {"step", 2}, {"steps", {1, 5, 25}}});
  json event = {{"kind", "worker-exited"}, {"service", "web"}, {"text", "exit 3"}};
  figures.take_events({{"events", json::array({event})}, {"last", 3}});
  return figures.view();
}

}  // namespace

TEST_CASE("the object has the figures of each version") {
  const auto object = figures_json(figures_view(), kNoon);
  CHECK(object["schema_version"] == 1);
  CHECK(object["time"] == kNoon);
  const auto& v1 = object["versions"].at(0);
  CHECK(v1["service"] == "web");
  CHECK(v1["version"] == "v1");
  CHECK(v1["requests_per_second"].get<double>() == doctest::Approx(3.33).epsilon(0.01));
  CHECK(v1["memory_bytes"] == 4'000);
  CHECK(v1["bad"] == false);
  CHECK(v1["reason"] == "");
  CHECK(v1["seconds"].size() == 60);
  CHECK(v1["seconds"].back() == 3.3);
  CHECK(object["versions"].at(1)["bad"] == true);
  CHECK(object["services"].at(0)["way_back"] == "grayctl rollout abort web");
  CHECK(object["services"].at(0)["event"] == object["event"]);
}

TEST_CASE("what is written is read") {
  const auto object = figures_json(figures_view(), kNoon);
  const auto view = figures_in(object);
  CHECK(figures_json(view, kNoon) == object);
  CHECK(view.daemon == "grayd 1.2.3, pid 4711, up 3m5s");
  REQUIRE(view.versions.size() == 2);
  CHECK(view.versions[1].bad == "worse than stable");
  CHECK(view.versions[1].why == "5 % of its requests fail");
  REQUIRE(view.services.size() == 1);
  CHECK(view.services[0].canary == "v2");
  REQUIRE(view.services[0].rollout);
  CHECK(view.services[0].rollout->steps == 3);
}

TEST_CASE("figures without members, or with members of other types, read as empty") {
  CHECK(figures_in(json::object()).versions.empty());
  CHECK(figures_in(nullptr).daemon.empty());
  json odd = json::object();
  odd["service"] = 7;
  odd["up"] = -3;
  odd["seconds"] = json::array({"x"});
  json figures = json::object();
  figures["versions"] = json::array({odd});
  figures["services"] = 3;
  const auto view = figures_in(figures);
  REQUIRE(view.versions.size() == 1);
  CHECK(view.versions[0].up == 0);
  CHECK(view.versions[0].seconds == std::vector<double>{-1});
}

}  // namespace gray::control
