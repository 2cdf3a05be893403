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
  StateChanges changes{host, host.settings, host.live};
  std::optional<Reply> reply;

  static AuditEntry shift(const char* actor) {
    return {.service = "web", .version = "v2", .what = "shift", .actor = actor};
  }
  static ServiceState weight(double percent) { return {.weights = {{"v2", percent}}}; }
  void save_first(double percent) {
    changes.save_first(shift("pid 1, uid 0"), weight(percent), "shifted",
                       [this](Reply answer) { reply = std::move(answer); });
  }
  void publish_first(double percent) {
    changes.publish_first(shift("pid 1, uid 0"), weight(percent), [this](Reply answer) { reply = std::move(answer); });
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
    changes.publish_first(shift("pid 2, uid 0"), weight(0), [](const Reply&) {});
  };
  save_first(20);
  REQUIRE(reply);
  CHECK(reply->code == ExitCode::conflict);
  CHECK(reply->error ==
        "a later change of web was applied first: shift web v2 to 0% (pid 2, uid 0); see grayctl status");
  CHECK(host.published == std::vector{0.0});
}

TEST_CASE_FIXTURE(StateChangesFixture, "each save names who changed the state, and how") {
  save_first(20);
  publish_first(0);
  CHECK(host.authors ==
        std::vector<Author>{{"pid 1, uid 0", "shift web v2 to 20%"}, {"pid 1, uid 0", "shift web v2 to 0%"}});
}

TEST_CASE_FIXTURE(StateChangesFixture, "what has come into force is recorded with the shares before and after") {
  save_first(20);
  publish_first(0);
  REQUIRE(host.history.size() == 2);
  const auto& raise = host.history[0];
  CHECK(raise.what == "shift");
  CHECK(raise.actor == "pid 1, uid 0");
  CHECK(raise.after == Split{"v1", {{"v1", 80}, {"v2", 20}}});
  CHECK(raise.revision == 1);
  const auto& lower = host.history[1];
  CHECK(lower.before == raise.after);
  CHECK(lower.after == Split{"v1", {{"v1", 100}}});
  CHECK(lower.revision == 2);
  CHECK(lower.time != WallTime{});
}

TEST_CASE_FIXTURE(StateChangesFixture,
                  "what did not come into force is not recorded; what is not saved has no revision") {
  host.disk_error = "the disk is full";
  save_first(20);
  CHECK(host.history.empty());
  publish_first(0);
  REQUIRE(host.history.size() == 1);
  CHECK(host.history[0].revision == 0);
}

TEST_CASE_FIXTURE(StateChangesFixture, "a change without a name is a part of the one before, and not recorded") {
  changes.save_first({.service = "web", .version = "v2", .actor = "grayd"}, weight(20), "changed", [](const Reply&) {});
  CHECK(host.history.empty());
}

TEST_CASE_FIXTURE(StateChangesFixture, "a state that another grayd has changed is a conflict, in both orders") {
  host.disk_code = ExitCode::conflict;
  host.disk_error = "the state was changed meanwhile: promote web v2 (pid 7, uid 0), revision 9";
  save_first(20);
  CHECK(reply->code == ExitCode::conflict);
  CHECK(reply->error == "nothing was shifted: " + host.disk_error);
  CHECK(host.live.wanted() == host.live.published());
  publish_first(0);
  CHECK(reply->code == ExitCode::conflict);
  CHECK(reply->error == "the routers have applied it, but " + host.disk_error);
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
