#include "control/commands/state_changes.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <utility>

#include "tests/control/commands/fake_host.hpp"

namespace gray::control {
namespace {

using test::FakeHost;

struct StateChangesFixture {
  FakeHost host;
  StateChanges changes{host, host.live};
  std::optional<Reply> reply;

  static ServiceState weight(double percent) { return {.weights = {{"v2", percent}}}; }
  void save_first(double percent) {
    changes.save_first("web", weight(percent), "shifted", [this](Reply answer) { reply = std::move(answer); });
  }
  void publish_first(double percent) {
    changes.publish_first("web", weight(percent), [this](Reply answer) { reply = std::move(answer); });
  }
};

TEST_CASE_FIXTURE(StateChangesFixture, "saved first: nothing is published before it is on disk") {
  host.while_saving = [&] { CHECK(host.published.empty()); };
  save_first(20);
  REQUIRE(reply);
  CHECK(reply->code == ExitCode::ok);
  CHECK(reply->body["schema_version"] == 1);
  CHECK(host.published == std::vector{20.0});
}

TEST_CASE_FIXTURE(StateChangesFixture, "saved first: what cannot be saved is not done") {
  host.disk_error = "the disk is full";
  save_first(20);
  REQUIRE(reply);
  CHECK(reply->code == ExitCode::failed);
  CHECK(reply->error == "nothing was shifted: the disk is full");
  CHECK(host.published.empty());
  CHECK(host.live.wanted() == host.live.published());
}

TEST_CASE_FIXTURE(StateChangesFixture, "published first: a failing disk does not delay it, and is reported") {
  host.disk_error = "the disk is full";
  publish_first(0);
  REQUIRE(reply);
  CHECK(reply->code == ExitCode::failed);
  CHECK(reply->error == "the routers have applied it, but the disk is full");
  CHECK(host.published == std::vector{0.0});
}

TEST_CASE_FIXTURE(StateChangesFixture, "a change that was overtaken while it was saved is refused") {
  bool overtaken = false;
  host.while_saving = [&] {
    if (std::exchange(overtaken, true)) return;
    changes.publish_first("web", weight(0), [](const Reply&) {});
  };
  save_first(20);
  REQUIRE(reply);
  CHECK(reply->code == ExitCode::conflict);
  CHECK(reply->error == "a later change of web was applied first; see grayctl status");
  CHECK(host.published == std::vector{0.0});
}

TEST_CASE_FIXTURE(StateChangesFixture, "routers that are too slow are named, in both orders") {
  host.laggards = "router 4711";
  save_first(20);
  CHECK(reply->code == ExitCode::timeout);
  CHECK(reply->error == "published, but not applied in time by router 4711; see grayctl status");
  publish_first(0);
  CHECK(reply->code == ExitCode::timeout);
}

}  // namespace
}  // namespace gray::control
