#include "control/report/metrics.hpp"

#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "config/shared/totals.hpp"
#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;

namespace {

void record(segment::Histogram& histogram, Micros value) {
  ++histogram.buckets[segment::bucket_of(value)];
  histogram.sum += static_cast<std::uint64_t>(value.count());
}

struct MetricsFixture {
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  Settings settings = test::settings_of(test::web());
  State state;
  Reloads reloads{2, 1, false, WallTime(std::chrono::milliseconds(1'795'452'285'500))};
  std::vector<VersionView> views = {
      test::version_view("v1", {test::worker("web@v1#0", 1, true)}),
      test::version_view("v2", {test::worker("web@\"v2\"#0", 2, false)}),
  };

  MetricsFixture() {
    const auto row = *rows.take("web", "v1");
    auto& cells = segment::writable_row(*segment, 0, 0, row);
    cells.requests = 12'345'678;
    cells.status_class[2] = 12'345'000;
    cells.status_class[5] = 678;
    cells.reasons[static_cast<std::size_t>(segment::Reason::queue_full)] = 9;
    cells.connect_errors = 2;
    cells.retries_refused[static_cast<std::size_t>(segment::Reason::upstream_closed)] = 4;
    for (const auto value : {500, 900, 30'000, 2'000'000, 90'000'000}) record(cells.duration, Micros{value});
    segment::writable_row(*segment, 1, 3, row).requests = 1;
    record(segment::writable_row(*segment, 1, 3, row).duration, Micros{1'000});
    segment->log_lost[2] = 3;
    segment->log_lost_base = 4;
    segment::writable_row(*segment, 0, 0, row).decisions[static_cast<std::size_t>(segment::Decision::bucket)] = 5;
    segment->connections[0] = 3;
    segment->connections[1] = 4;
    auto& wire = segment->wire[1][2];
    for (const auto reason :
         {segment::Reason::no_route, segment::Reason::bad_request, segment::Reason::expectation_failed}) {
      wire.refused[static_cast<std::size_t>(reason)] = 2;
    }
    wire.faults[0][12] = 7;
    wire.faults[1][18] = 1;
    segment->wire_base.faults[1][18] = 2;
    wire.write_errors[1] = 5;
    wire.forwards_cut = 6;
    wire.forwards_unreadable = 8;
    wire.forwards_ignored = 9;
  }
  std::string text() {
    return metrics_text({.settings = settings,
                         .state = state,
                         .rows = rows,
                         .layout = *segment,
                         .views = views,
                         .resident_bytes = test::a_kilobyte,
                         .running = {},
                         .table = 1,
                         .phase = Phase::serving,
                         .uptime_s = 12.5,
                         .pid = 41,
                         .reloads = reloads,
                         .events_dropped = 6,
                         .config_changed = true});
  }
  bool has(const std::string& line) { return text().find(line + "\n") != std::string::npos; }
};

}  // namespace

TEST_CASE_FIXTURE(MetricsFixture, "counters and gauges carry service and version") {
  CHECK(has("grayd_requests_total{service=\"web\",version=\"v1\",code=\"2xx\"} 12345000"));
  CHECK(has("grayd_requests_total{service=\"web\",version=\"v1\",code=\"5xx\"} 678"));
  CHECK(has("grayd_requests_total{service=\"web\",version=\"v3\",code=\"2xx\"} 0"));
  CHECK(has("grayd_failures_total{service=\"web\",version=\"v1\",reason=\"queue-full\"} 9"));
  CHECK(has("grayd_retries_refused_total{service=\"web\",version=\"v1\",reason=\"upstream-closed\"} 4"));
  CHECK(has("grayd_upstream_connect_errors_total{service=\"web\",version=\"v1\"} 2"));
  CHECK(has("grayd_version_up{service=\"web\",version=\"v1\"} 1"));
  CHECK(has("grayd_version_up{service=\"web\",version=\"v2\"} 0"));
  CHECK(has("grayd_worker_up{service=\"web\",version=\"v1\",worker=\"web@v1#0\"} 1"));
  CHECK(has("grayd_route_decisions_total{service=\"web\",version=\"v1\",decision=\"bucket\"} 5"));
  CHECK(has("grayd_open_connections 7"));
  CHECK(has("grayd_access_log_lost_lines_total 7"));
  CHECK(has("grayd_events_lost_total 6"));
}

TEST_CASE_FIXTURE(MetricsFixture, "requests and faults without a version are counted by reason, by rule and by side") {
  CHECK(has("grayd_refused_total{reason=\"no-route\"} 2"));
  CHECK(has("grayd_refused_total{reason=\"bad-request\"} 4"));
  CHECK(has("grayd_faults_total{rule=\"P12\",side=\"downstream\"} 7"));
  CHECK(has("grayd_faults_total{rule=\"P18\",side=\"upstream\"} 3"));
  CHECK(has("grayd_write_errors_total{side=\"downstream\"} 0"));
  CHECK(has("grayd_write_errors_total{side=\"upstream\"} 5"));
  CHECK(has("grayd_forwarded_for_cut_total 6"));
  CHECK(has("grayd_forwarded_for_unreadable_total 8"));
  CHECK(has("grayd_forwards_ignored_total 9"));
  CHECK(has("grayd_affinity_spills_total{service=\"web\",version=\"v1\"} 0"));
}

TEST_CASE_FIXTURE(MetricsFixture, "the users of a canary that is down go to stable") {
  CHECK(has("grayd_version_weight_ratio{service=\"web\",version=\"v1\",kind=\"desired\"} 0.95"));
  CHECK(has("grayd_version_weight_ratio{service=\"web\",version=\"v1\",kind=\"effective\"} 1"));
  CHECK(has("grayd_version_weight_ratio{service=\"web\",version=\"v2\",kind=\"desired\"} 0.05"));
  CHECK(has("grayd_version_weight_ratio{service=\"web\",version=\"v2\",kind=\"effective\"} 0"));
  views[1].workers[0].routable = true;
  CHECK(has("grayd_version_weight_ratio{service=\"web\",version=\"v2\",kind=\"effective\"} 0.05"));
}

TEST_CASE_FIXTURE(MetricsFixture,
                  "durations are a histogram over all routers, and values above the last bound are counted") {
  const std::string of = "{service=\"web\",version=\"v1\"";
  CHECK(has("grayd_request_duration_seconds_bucket" + of + ",le=\"0.001\"} 2"));
  CHECK(has("grayd_request_duration_seconds_bucket" + of + ",le=\"0.0025\"} 3"));
  CHECK(has("grayd_request_duration_seconds_bucket" + of + ",le=\"0.025\"} 3"));
  CHECK(has("grayd_request_duration_seconds_bucket" + of + ",le=\"0.05\"} 4"));
  CHECK(has("grayd_request_duration_seconds_bucket" + of + ",le=\"2.5\"} 5"));
  CHECK(has("grayd_request_duration_seconds_bucket" + of + ",le=\"60\"} 5"));
  CHECK(has("grayd_request_duration_seconds_bucket" + of + ",le=\"+Inf\"} 6"));
  CHECK(has("grayd_request_duration_seconds_count" + of + "} 6"));
  CHECK(has("grayd_request_duration_seconds_sum" + of + "} 92.0324"));
  CHECK(has("grayd_queue_wait_seconds_count" + of + "} 0"));
}

TEST_CASE_FIXTURE(MetricsFixture,
                  "the time of the last accepted configuration and the result of the last attempt are reported") {
  CHECK(has("grayd_config_last_reload_successful 0"));
  CHECK(has("grayd_config_last_reload_success_timestamp_seconds 1795452285.5"));
  CHECK(has("grayd_config_reloads_total{result=\"accepted\"} 2"));
  CHECK(has("grayd_config_reloads_total{result=\"refused\"} 1"));
  CHECK(has("grayd_config_file_changed 1"));
}

TEST_CASE_FIXTURE(MetricsFixture, "counters by reason, decision and rule exist before their first event") {
  CHECK(has("grayd_failures_total{service=\"web\",version=\"v3\",reason=\"queue-full\"} 0"));
  CHECK(has("grayd_route_decisions_total{service=\"web\",version=\"v1\",decision=\"cookie\"} 0"));
  CHECK(has("grayd_retries_refused_total{service=\"web\",version=\"v1\",reason=\"connect-failed\"} 0"));
  CHECK(has("grayd_refused_total{reason=\"too-large\"} 0"));
  CHECK(has("grayd_faults_total{rule=\"P32\",side=\"upstream\"} 0"));
  CHECK(has("grayd_memory_budget_bytes 536870912"));
}

TEST_CASE_FIXTURE(MetricsFixture, "reasons that share a name are one series") {
  auto& cells = segment::writable_row(*segment, 0, 0, *rows.find("web", "v1"));
  cells.reasons[static_cast<std::size_t>(segment::Reason::too_large)] = 2;
  cells.reasons[static_cast<std::size_t>(segment::Reason::head_too_large)] = 3;
  CHECK(has("grayd_failures_total{service=\"web\",version=\"v1\",reason=\"too-large\"} 5"));
  std::istringstream lines(text());
  std::set<std::string> series;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    CAPTURE(line);
    CHECK(series.insert(line.substr(0, line.rfind(' '))).second);
  }
}

TEST_CASE_FIXTURE(MetricsFixture, "label values are escaped") {
  CHECK(has("grayd_worker_up{service=\"web\",version=\"v2\",worker=\"web@\\\"v2\\\"#0\"} 0"));
}

TEST_CASE_FIXTURE(MetricsFixture, "every sample belongs to a family that was announced before it") {
  std::istringstream lines(text());
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    if (line.starts_with("# TYPE ")) family = line.substr(7, line.find(' ', 7) - 7);
    if (!line.starts_with("#")) CHECK(line.starts_with(family));
  }
}

TEST_CASE_FIXTURE(MetricsFixture, "the memory of a worker is that of its process, and 0 without one") {
  views[1].workers[0].pid = 0;
  CHECK(has("grayd_worker_rss_bytes{service=\"web\",version=\"v1\",worker=\"web@v1#0\"} 1024"));
  CHECK(has("grayd_worker_memory_bytes{service=\"web\",version=\"v1\",worker=\"web@v1#0\"} 1024"));
  CHECK(has("grayd_worker_rss_bytes{service=\"web\",version=\"v2\",worker=\"web@\\\"v2\\\"#0\"} 0"));
}
