#include "control/report/release_metrics.hpp"

#include <doctest/doctest.h>

#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;

namespace {

struct ReleaseMetricsFixture {
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  Settings settings = test::settings_of(test::web());
  State state;
  std::optional<Verdict> verdict;

  std::string text() {
    ReportSource source{.settings = settings, .state = state, .rows = rows, .layout = *segment, .views = {}};
    source.verdict = [this](const std::string&, const std::string& version) {
      return version == "v2" ? verdict : std::nullopt;
    };
    std::string out;
    release_metrics(out, source);
    return out;
  }
  bool has(const std::string& line) { return text().find(line + "\n") != std::string::npos; }
};

}  // namespace

TEST_CASE_FIXTURE(ReleaseMetricsFixture, "the stable version is that of the file, or the one that was promoted") {
  CHECK(has("grayd_version_stable{service=\"web\",version=\"v1\"} 1"));
  CHECK(has("grayd_version_stable{service=\"web\",version=\"v2\"} 0"));
  state["web"].stable = "v2";
  CHECK(has("grayd_version_stable{service=\"web\",version=\"v1\"} 0"));
  CHECK(has("grayd_version_stable{service=\"web\",version=\"v2\"} 1"));
}

TEST_CASE_FIXTURE(ReleaseMetricsFixture, "a verdict is one of three series, and there is none without one") {
  CHECK(text().find("grayd_verdict{") == std::string::npos);
  verdict = Verdict{.result = VerdictResult::fail};
  CHECK(has("grayd_verdict{service=\"web\",version=\"v2\",result=\"pass\"} 0"));
  CHECK(has("grayd_verdict{service=\"web\",version=\"v2\",result=\"fail\"} 1"));
  CHECK(has("grayd_verdict{service=\"web\",version=\"v2\",result=\"insufficient\"} 0"));
  CHECK(text().find("grayd_verdict{service=\"web\",version=\"v1\"") == std::string::npos);
}

TEST_CASE_FIXTURE(ReleaseMetricsFixture, "the last rollout of a service: its state and its step") {
  CHECK(text().find("grayd_rollout_state{") == std::string::npos);
  state["web"].rollout = Rollout{.version = "v2", .state = RolloutState::aborted, .begun = 2, .steps = {1, 5, 100}};
  CHECK(has("grayd_rollout_state{service=\"web\",version=\"v2\",state=\"aborted\"} 1"));
  CHECK(has("grayd_rollout_state{service=\"web\",version=\"v2\",state=\"holding\"} 0"));
  CHECK(has("grayd_rollout_step{service=\"web\",version=\"v2\"} 2"));
}
