#include "control/grayctl/top/viewer.hpp"

#include <doctest/doctest.h>

#include "control/live/figures_json.hpp"
#include "tests/control/live/figures_of_top.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr TimePoint kFirstLook{std::chrono::seconds(5'000)};

json picture_of(const json& status) {
  LiveFigures figures;
  figures.take_status(status, kFirstLook);
  json line = {{"stream", "stderr"}, {"service", "api"}, {"worker", "api@v1#0"}, {"text", "no database"}};
  figures.take_lines({{"lines", json::array({line})}, {"last", 1}});
  return {{"status", status}, {"figures", figures_json(figures.view(), "2026-11-30T12:00:00Z")}};
}

json two_services() {
  json status = status_answer({version_answer("v1", 100)});
  json api = status["services"][0];
  api["name"] = "api";
  status["services"].push_back(api);
  return status;
}

}  // namespace

TEST_CASE("a picture is shown until the next") {
  Viewer viewer;
  CHECK_FALSE(viewer.has_picture());
  CHECK(viewer.take_picture(picture_of(two_services()), kFirstLook).code == ExitCode::ok);
  CHECK(viewer.has_picture());
  CHECK(viewer.time() == "2026-11-30T12:00:00Z");
  CHECK(viewer.view(kFirstLook).versions.size() == 2);
  CHECK(viewer.view(kFirstLook).line == " api@v1#0: no database");
}

TEST_CASE("of one service nothing else is shown, and an unknown one is an error at first only") {
  Viewer web("web"), wrong("wbe");
  CHECK(web.take_picture(picture_of(two_services()), kFirstLook).code == ExitCode::ok);
  CHECK(web.view(kFirstLook).versions.size() == 1);
  CHECK(web.view(kFirstLook).services.size() == 1);
  CHECK(web.view(kFirstLook).line.empty());
  CHECK(web.take_picture(picture_of(status_answer({})), kFirstLook).code == ExitCode::ok);
  json without = two_services();
  without["services"].erase(0);
  CHECK(web.take_picture(picture_of(without), kFirstLook).code == ExitCode::ok);
  const auto refused = wrong.take_picture(picture_of(two_services()), kFirstLook);
  CHECK(refused.code == ExitCode::usage);
  CHECK(refused.error.find("did you mean \"web\"") != std::string::npos);
}

TEST_CASE("a grayd that is silent is trouble until it sends a picture") {
  Viewer viewer;
  viewer.take_picture(picture_of(two_services()), kFirstLook);
  viewer.take_failure("no process listens", kFirstLook + Duration{1'000});
  viewer.take_failure("there is no such file", kFirstLook + Duration{2'000});
  CHECK(viewer.silent());
  const auto view = viewer.view(kFirstLook + Duration{6'000});
  CHECK(view.trouble == "no answer for 5s, retrying: there is no such file");
  CHECK(view.versions.size() == 2);
  viewer.take_picture(picture_of(two_services()), kFirstLook + Duration{7'000});
  CHECK_FALSE(viewer.silent());
  CHECK(viewer.view(kFirstLook + Duration{7'000}).trouble.empty());
}

TEST_CASE("what is not a picture is trouble") {
  Viewer viewer;
  CHECK(viewer.take_picture(json::object(), kFirstLook).code == ExitCode::failed);
  CHECK(viewer.silent());
}

}  // namespace gray::control
