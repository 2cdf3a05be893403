#include "control/report/status_report.hpp"

#include <doctest/doctest.h>

#include "control/report/metrics.hpp"
#include "control/traffic/deployed.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/table_builder.hpp"
#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using test::version_view;
using test::worker;

namespace {

struct StatusReportFixture {
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  Settings settings = test::settings_of(test::web());
  State state = {{"web", {"", {{"v2", 20}}, {}}}};
  std::vector<VersionView> views;
  TimePoint now{Duration{60'000}};
  std::vector<pid_t> weighed;  // measured for reports

  StatusReportFixture() {
    auto waiting = worker("web@v1#1", 2, false);
    waiting.pid = 0;
    views = {version_view("v1", {worker("web@v1#0", 1, true), waiting})};
    const auto row = *rows.take("web", "v1");
    segment::writable_row(*segment, 0, 0, row).requests = 3;
    segment::writable_row(*segment, 1, 1, row).requests = 4;
    segment::writable_row(*segment, 0, 0, row).errors = 1;
    segment::writable_row(*segment, 0, 0, row).in_flight = 2;
    REQUIRE(segment->versions[row].waiting.acquire(0, 10));
    REQUIRE(segment->workers[1].sockets.acquire(0, 10));
    REQUIRE(segment->workers[2].sockets.acquire(0, 10));
  }
  ReportSource source() {
    const auto weigh = [this](pid_t pid) {
      weighed.push_back(pid);
      return static_cast<std::uint64_t>(pid) * 1'000;
    };
    return {.settings = settings,
            .state = state,
            .rows = rows,
            .layout = *segment,
            .views = views,
            .now = now,
            .resident_bytes = weigh,
            .running = [](pid_t pid) { return Running{"/opt/" + std::to_string(pid) + "/web", "/opt"}; },
            .routers = {{42, 1, RouterState::ready, 9, 1.5}},
            .table = 9,
            .phase = Phase::serving,
            .uptime_s = 12.5,
            .pid = 41};
  }
};

}  // namespace

TEST_CASE_FIXTURE(StatusReportFixture, "the last upgrades are reported with their results") {
  auto report = source();
  CHECK(status_report(report)["upgrades"].empty());
  report.upgrades = {{3, "router", UpgradeState::failed, "no room", ExitCode::timeout, 77}};
  CHECK(
      status_report(report)["upgrades"][0] ==
      nlohmann::json(
          {{"number", 3}, {"of", "router"}, {"state", "failed"}, {"text", "no room"}, {"pid", 77}, {"exit_code", 5}}));
}

TEST_CASE_FIXTURE(StatusReportFixture, "warnings are in the status") {
  CHECK(status_report(source())["warnings"].empty());
  views[0].workers[0].listener.backlog = 5;
  const auto warning = status_report(source())["warnings"][0];
  CHECK(warning["cause"] == "listen-backlog");
  CHECK(warning["service"] == "web");
  CHECK(warning["version"] == "v1");
  CHECK(warning["text"].get<std::string>().starts_with("worker web@v1#0 listens with a backlog of 5"));
}

TEST_CASE_FIXTURE(StatusReportFixture, "the status has every name of the contract") {
  const auto status = status_report(source());
  CHECK(status["schema_version"] == 1);
  const auto& service = status["services"][0];
  CHECK(service["name"] == "web");
  CHECK(service["stable"] == "v1");
  const auto& version = service["versions"][0];
  for (const auto* name :
       {"name", "weight", "state", "requests", "errors", "in_flight", "sockets", "queue", "workers"}) {
    CAPTURE(name);
    CHECK(version.contains(name));
  }
  for (const auto* name : {"id", "pid", "state", "address", "ready_by", "restarts", "last_exit", "rss_bytes",
                           "memory_bytes", "uptime_s"}) {
    CAPTURE(name);
    CHECK(version["workers"][0].contains(name));
  }
  CHECK(version["queue"] == nlohmann::json{{"waiting", 1}, {"limit", 256}});
}

TEST_CASE_FIXTURE(StatusReportFixture, "a version has its last minute, and a verdict only beside stable") {
  auto report = source();
  const auto before = status_report(report)["services"][0]["versions"];
  CHECK(before[1]["last_minute"] ==
        nlohmann::json{
            {"requests_per_second", 0.0}, {"error_ratio", 0.0}, {"p50_ms", 0.0}, {"p95_ms", 0.0}, {"p99_ms", 0.0}});
  CHECK(before[1]["verdict"] == "insufficient");
  report.last_minute = [](const std::string& service, const std::string& version) {
    return service == "web" && version == "v2" ? MinuteFigures{2.5, 0.25, 4, 30, 40} : MinuteFigures{};
  };
  Verdict verdict{.result = VerdictResult::fail, .metric = Metric::errors, .text = "too many errors"};
  report.verdict = [&](const std::string&, const std::string& version) {
    return version != "v1" ? std::optional(verdict) : std::nullopt;
  };
  const auto versions = status_report(report)["services"][0]["versions"];
  CHECK(versions[1]["last_minute"] ==
        nlohmann::json{
            {"requests_per_second", 2.5}, {"error_ratio", 0.25}, {"p50_ms", 4.0}, {"p95_ms", 30.0}, {"p99_ms", 40.0}});
  CHECK(versions[1]["verdict"] == "worse");
  CHECK(versions[1]["verdict_text"] == "too many errors");
  CHECK(versions[0]["verdict"] == "none");
  CHECK(versions[2]["verdict"] == "none");  // has no users
  CHECK(versions[2]["verdict_text"] == "");
  verdict = {};
  CHECK(status_report(report)["services"][0]["versions"][1]["verdict"] == "insufficient");
  verdict.result = VerdictResult::pass;
  CHECK(status_report(report)["services"][0]["versions"][1]["verdict"] == "ok");
}

TEST_CASE_FIXTURE(StatusReportFixture,
                  "the numbers are summed over routers and threads, and the weights are those in force") {
  const auto status = status_report(source());
  const auto& versions = status["services"][0]["versions"];
  CHECK(versions[0]["requests"] == 7);
  CHECK(versions[0]["errors"] == 1);
  CHECK(versions[0]["in_flight"] == 2);
  CHECK(versions[0]["weight"] == 80.0);
  CHECK(versions[0]["configured_weight"] == 95.0);
  CHECK(versions[1]["weight"] == 20.0);
  CHECK(versions[0]["instances"] == 1);
  CHECK(versions[1]["state"] == "stopped");
  CHECK(versions[1]["workers"].empty());
}

TEST_CASE_FIXTURE(StatusReportFixture,
                  "a version has whether it was stopped, its instances, and the progress of its restart") {
  state["web"].stopped = {"v2"};
  views[0].replacement = ReplacementView{3, ReplacementState::running, 1, 4, ""};
  const auto status = status_report(source());
  const auto& versions = status["services"][0]["versions"];
  CHECK(versions[0]["stopped"] == false);
  CHECK(versions[1]["stopped"] == true);
  CHECK(versions[0]["targeted"] == true);
  CHECK(versions[1]["targeted"] == false);
  CHECK(versions[0]["instances"] == 1);
  CHECK(versions[0]["restart"] ==
        nlohmann::json{{"number", 3}, {"state", "running"}, {"replaced", 1}, {"of", 4}, {"reason", ""}});
  CHECK(versions[1]["restart"].is_null());
}

TEST_CASE_FIXTURE(StatusReportFixture,
                  "a slot in back-off has no sockets, even if its old cell belongs to another worker") {
  const auto status = status_report(source());
  const auto& version = status["services"][0]["versions"][0];
  CHECK(version["sockets"] == 1);
  CHECK(version["workers"][0]["sockets"] == 1);
  CHECK(version["workers"][1]["sockets"] == 0);
}

TEST_CASE_FIXTURE(StatusReportFixture, "the status has the processes and the configuration file") {
  const auto status = status_report(source());
  CHECK(status["pid"] == 41);
  CHECK(status["config_file"] == "/etc/grayd/grayd.toml");
  CHECK(status["config_changed"] == false);
  CHECK(status["listen"][0] == "127.0.0.1:8000");
  CHECK(status["routers"][0]["pid"] == 42);
  CHECK(status["routers"][0]["table"] == 9);
}

TEST_CASE_FIXTURE(StatusReportFixture,
                  "memory and uptime are measured when the report is made, and only for processes") {
  views[0].workers[0].started = now - Duration{2'500};
  const auto report = source();
  CHECK(is_up(view_of(report.views, "web", "v1")));
  CHECK(health_complaint(settings.services[0], state, report.views).empty());
  CHECK(build_table(settings, state, report.views, rows).services.size() == 1);
  CHECK(weighed.empty());
  const auto workers = status_report(report)["services"][0]["versions"][0]["workers"];
  CHECK(weighed == std::vector<pid_t>{101, 101});  // resident, and of the group
  CHECK(workers[0]["rss_bytes"] == 101'000);
  CHECK(workers[0]["memory_bytes"] == 101'000);
  CHECK(workers[0]["program"] == "/opt/101/web");
  CHECK(workers[0]["cwd"] == "/opt");
  CHECK(workers[1]["program"] == "");
  CHECK(workers[0]["uptime_s"] == 2.5);
  CHECK(workers[1]["rss_bytes"] == 0);
  CHECK(workers[1]["uptime_s"] == 0);
}

TEST_CASE_FIXTURE(StatusReportFixture, "states are reported by name") {
  views[0].state = VersionState::dark;
  views[0].workers[1].state = WorkerState::backoff;
  const auto version = status_report(source())["services"][0]["versions"][0];
  CHECK(version["state"] == "dark");
  CHECK(version["workers"][0]["state"] == "healthy");
  CHECK(version["workers"][1]["state"] == "backoff");
}

TEST_CASE_FIXTURE(StatusReportFixture, "deployed and former versions are marked, and the way back is shown") {
  auto report = status_report(source());
  CHECK(report["services"][0]["undo_to"] == nullptr);
  CHECK(report["services"][0]["undo"] == nullptr);
  CHECK(report["services"][0]["versions"][0]["deployed"] == false);
  CHECK(report["services"][0]["versions"][0]["former"] == nullptr);
  const WallTime then{std::chrono::milliseconds(1764550000123)};
  state["web"].deployed["43"] = {test::version_named("43"), then, true};
  state["web"].formers = {{"v1", then, true}, {"v2", then, false}};
  settings = with_deployed(settings, state);
  auto now = source();
  now.undos["web"] = {3, "v1", UpgradeState::failed, "why", ExitCode::timeout};
  report = status_report(now);
  const auto& web = report["services"][0];
  CHECK(web["undo_to"] == "v2");
  CHECK(web["undo"] ==
        nlohmann::json{{"number", 3}, {"to", "v1"}, {"state", "failed"}, {"text", "why"}, {"exit_code", 5}});
  CHECK(web["versions"][0]["former"] ==
        nlohmann::json{{"since", "2025-12-01T00:46:40.123Z"}, {"warm_until", "2025-12-01T01:01:40.123Z"}});
  CHECK(web["versions"][1]["former"]["warm_until"] == nullptr);
  CHECK(web["versions"][3]["deployed"] == true);
  CHECK(web["versions"][3]["deployed_at"] == "2025-12-01T00:46:40.123Z");
  CHECK(web["versions"][3]["removing"] == true);
}
