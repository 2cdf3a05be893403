#include "grayd/metrics.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/grayd/settings_support.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct Fixture {
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  Settings settings = test::settings_of(test::web());
  control::State state;
  std::vector<supervisor::VersionView> views = {
      test::version_view("v1", {test::worker("web@v1#0", 1, true)}),
      test::version_view("v2", {test::worker("web@\"v2\"#0", 2, false)}),
  };

  Fixture() {
    const auto row = *rows.take("web", "v1");
    segment->rows[0][0][row].requests = 12'345'678;
    segment->rows[0][0][row].decisions[static_cast<std::size_t>(segment::Decision::bucket)] = 5;
    segment->connections[0] = 3;
    segment->connections[1] = 4;
  }
  std::string text() { return metrics_text({settings, state, views, rows, *segment, {}, 1, "serving", 12.5, 41}); }
  bool has(const std::string& line) { return text().find(line + "\n") != std::string::npos; }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "counters and gauges carry service and version") {
  CHECK(has("grayd_requests_total{service=\"web\",version=\"v1\"} 12345678"));
  CHECK(has("grayd_requests_total{service=\"web\",version=\"v3\"} 0"));
  CHECK(has("grayd_version_weight_percent{service=\"web\",version=\"v1\"} 95"));
  CHECK(has("grayd_version_up{service=\"web\",version=\"v1\"} 1"));
  CHECK(has("grayd_version_up{service=\"web\",version=\"v2\"} 0"));
  CHECK(has("grayd_worker_up{service=\"web\",version=\"v1\",worker=\"web@v1#0\"} 1"));
  CHECK(has("grayd_route_decisions_total{service=\"web\",version=\"v1\",decision=\"bucket\"} 5"));
  CHECK(has("grayd_open_connections 7"));
}

TEST_CASE_FIXTURE(Fixture, "label values are escaped") {
  CHECK(has("grayd_worker_up{service=\"web\",version=\"v2\",worker=\"web@\\\"v2\\\"#0\"} 0"));
}

TEST_CASE_FIXTURE(Fixture, "every sample belongs to a family that was announced before it") {
  std::istringstream lines(text());
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    if (line.starts_with("# TYPE ")) family = line.substr(7, line.find(' ', 7) - 7);
    if (!line.starts_with("#")) CHECK(line.starts_with(family));
  }
}
