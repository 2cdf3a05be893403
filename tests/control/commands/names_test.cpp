// What becomes of the decisions about a version when it leaves the configuration, comes back, or changes its role: by a
// restart, by a reload, and by both.
#include <doctest/doctest.h>

#include "control/commands/reload.hpp"
#include "control/state/state_json.hpp"
#include "control/traffic/weights.hpp"
#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using test::settings_of;
using test::version_named;

namespace {

/// A service "web" with these versions; the first is stable.
ServiceSettings of(std::vector<std::string> versions) {
  ServiceSettings service;
  service.name = "web";
  service.stable = versions.front();
  for (const auto& name : versions) service.versions.push_back(version_named(name));
  return service;
}

/// The states of a grayd over its lives, with the file between them.
struct Lives {
  Settings settings;
  State state;
  std::string file = to_json_text(Snapshot{});

  void save() { file = to_json_text({0, with_roles(state, settings), {}}); }
  void restart(const ServiceSettings& service) {
    settings = settings_of(service);
    state = state_at_start(snapshot_from_json(file).state, settings);
    save();
  }
  void reload(const ServiceSettings& service) {
    const auto fresh = settings_of(service);
    state = state_after(state, settings, fresh);
    settings = fresh;
    save();
  }
  void shift(const std::string& version, double percent) {
    auto verdict = judge_shift(settings, state, state, {"web", version, percent});
    REQUIRE_MESSAGE(verdict.code == ExitCode::ok, verdict.error);
    state["web"] = verdict.next;
    save();
  }
  void stop(const std::string& version) {
    state["web"].stopped.insert(version);
    save();
  }
  void salt(const std::string& version) {
    state["web"].salts[version] = "again";
    save();
  }
  /// "v1 70%, v2 30%, v3 stopped"
  std::string text() const {
    const auto& service = *settings.service("web");
    const auto shares = shares_of(service, state);
    std::string text;
    for (const auto& version : service.versions) {
      const auto weight = static_cast<int>(shares.of(version.name));
      text += (text.empty() ? "" : ", ") + version.name + " " + std::to_string(weight) + "%";
      if (is_stopped(state, "web", version.name)) text += " stopped";
    }
    return text;
  }
};

struct NamesRow {
  const char* what;
  void (*happens)(Lives&);
  const char* expected;
};

const NamesRow kNamesRows[] = {
    {"a restart keeps a weight", [](Lives& l) { l.shift("v2", 30), l.restart(of({"v1", "v2"})); }, "v1 70%, v2 30%"},
    {"a reload keeps a weight", [](Lives& l) { l.shift("v2", 30), l.reload(of({"v1", "v2"})); }, "v1 70%, v2 30%"},
    {"a restart keeps a stop", [](Lives& l) { l.stop("v2"), l.restart(of({"v1", "v2"})); }, "v1 100%, v2 0% stopped"},
    {"a reload keeps a stop", [](Lives& l) { l.stop("v2"), l.reload(of({"v1", "v2"})); }, "v1 100%, v2 0% stopped"},

    {"removed by a restart, back by a reload",
     [](Lives& l) { l.shift("v2", 30), l.restart(of({"v1"})), l.reload(of({"v1", "v2"})); }, "v1 100%, v2 0%"},
    {"removed by a restart, back by a restart",
     [](Lives& l) { l.shift("v2", 30), l.restart(of({"v1"})), l.restart(of({"v1", "v2"})); }, "v1 100%, v2 0%"},
    {"removed by a reload, back by a restart",
     [](Lives& l) { l.shift("v2", 30), l.reload(of({"v1"})), l.restart(of({"v1", "v2"})); }, "v1 100%, v2 0%"},
    {"removed by a reload, back by a reload",
     [](Lives& l) { l.shift("v2", 30), l.reload(of({"v1"})), l.reload(of({"v1", "v2"})); }, "v1 100%, v2 0%"},
    {"stopped, removed by a restart, back by a reload",
     [](Lives& l) { l.stop("v2"), l.restart(of({"v1"})), l.reload(of({"v1", "v2"})); }, "v1 100%, v2 0%"},
    {"stopped, removed by a reload, back by a reload",
     [](Lives& l) { l.stop("v2"), l.reload(of({"v1"})), l.reload(of({"v1", "v2"})); }, "v1 100%, v2 0%"},
    {"a decision that came too late, about a version that a reload removed",
     [](Lives& l) { l.reload(of({"v1"})), l.stop("v2"), l.reload(of({"v1", "v2"})); }, "v1 100%, v2 0%"},
    {"the service is renamed, and its name comes back",
     [](Lives& l) {
       auto other = of({"v1", "v2"});
       other.name = "api";
       l.shift("v2", 30), l.restart(other), l.restart(of({"v1", "v2"}));
     },
     "v1 100%, v2 0%"},

    {"a canary becomes stable by a restart, then not",
     [](Lives& l) { l.shift("v2", 30), l.restart(of({"v2", "v1"})), l.restart(of({"v1", "v2"})); }, "v1 100%, v2 0%"},
    {"a stopped canary becomes stable by a restart", [](Lives& l) { l.stop("v2"), l.restart(of({"v2", "v1"})); },
     "v2 100%, v1 0%"},
    {"a stopped stable version stays stopped", [](Lives& l) { l.stop("v1"), l.restart(of({"v1", "v2"})); },
     "v1 100% stopped, v2 0%"},
    {"a stopped stable version that becomes a canary stays stopped",
     [](Lives& l) { l.stop("v1"), l.restart(of({"v2", "v1"})); }, "v2 100%, v1 0% stopped"},
    {"stable in the file alone changes nothing at a reload",
     [](Lives& l) { l.shift("v2", 30), l.reload(of({"v2", "v1"})); }, "v2 30%, v1 70%"},
    {"nor at the restart after it",
     [](Lives& l) { l.shift("v2", 30), l.reload(of({"v2", "v1"})), l.restart(of({"v2", "v1"})); }, "v2 30%, v1 70%"},
    {"a chosen stable version is removed, and comes back",
     [](Lives& l) { l.reload(of({"v2", "v1"})), l.restart(of({"v2"})), l.restart(of({"v2", "v1"})); },
     "v2 100%, v1 0%"},
    {"another version than the one before gets no weight of it",
     [](Lives& l) { l.shift("v2", 30), l.restart(of({"v1", "v3"})); }, "v1 100%, v3 0%"},
    {"a canary keeps its users beside a new stable version",
     [](Lives& l) { l.shift("v2", 30), l.restart(of({"v3", "v2"})); }, "v3 70%, v2 30%"},
};

}  // namespace

TEST_CASE("no decision about a version applies to a later one of its name, or to its other role") {
  for (const NamesRow& row : kNamesRows) {
    CAPTURE(row.what);
    Lives lives;
    lives.restart(of({"v1", "v2"}));
    row.happens(lives);
    CHECK(lives.text() == row.expected);
  }
}

TEST_CASE("a salt is of one version, and ends with it") {
  Lives lives;
  lives.restart(of({"v1", "v2"}));
  lives.shift("v2", 30);
  lives.salt("v2");
  const auto salt = [&] { return shares_of(*lives.settings.service("web"), lives.state).salt; };
  CHECK(salt() == "again");
  lives.restart(of({"v1", "v2"}));
  CHECK(salt() == "again");
  lives.restart(of({"v1"}));
  lives.reload(of({"v1", "v2"}));
  lives.shift("v2", 30);
  CHECK(salt() == "web/v2");
}
