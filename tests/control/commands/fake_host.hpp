#pragma once
// A grayd for the verbs: service "web" (tests/control/traffic/settings_support.hpp), saves that succeed immediately,
// and routers that have applied every table.
#include <optional>
#include <string>
#include <vector>

#include "control/commands/host.hpp"
#include "control/traffic/deployed.hpp"
#include "control/traffic/live_state.hpp"
#include "control/traffic/table_builder.hpp"
#include "control/traffic/weights.hpp"
#include "tests/control/traffic/settings_support.hpp"

namespace gray::test {

struct FakeHost : control::Host {
  segment::Segment segment = segment::Segment::create();
  control::Rows rows{segment};
  Settings settings = settings_of(web());
  control::LiveState live{{}};
  std::vector<VersionView> views = {version_view("v1", {worker("web@v1#0", 1, true)})};
  control::Phase phase = control::Phase::serving;
  std::string laggards, disk_error, locked_by;
  ExitCode disk_code = ExitCode::failed;  // with disk_error
  control::Revision revision = 0;
  std::vector<control::Author> authors;  // of each save
  bool is_stopping = false;
  std::optional<control::Verdict> canary;  // of v2
  std::function<void()> while_saving = [] {};
  std::vector<double> published;  // weight of v2 at each publication
  std::vector<EventRecord> events;
  std::vector<control::AuditEntry> history;
  std::vector<std::string> happened;      // "saved", "stop v3"
  std::optional<control::Action> action;  // the last one that was executed

  void persist(control::Author by, Saved then) override {
    happened.emplace_back("saved");
    authors.push_back(std::move(by));
    while_saving();
    if (disk_error.empty()) return then({ExitCode::ok, {}, ++revision});
    then({disk_code, disk_error, revision});
  }
  void publish(Applied then) override {
    published.push_back(control::shares_of(settings.services[0], live.published()).weight);
    then(laggards);
  }
  void settle(Applied then) override { then(laggards); }
  void reload(const nlohmann::json&, std::function<void(control::Reply)> done) override {
    done({ExitCode::ok, {{"schema_version", 1}, {"changes", nlohmann::json::array()}}, {}});
  }
  control::Reply upgrade(const nlohmann::json& args) override { return {ExitCode::ok, {{"upgrade", args}}, {}}; }
  unsigned carry_out(const control::VersionCommand& command) override {
    action = command.action;
    happened.push_back(std::string(name(command.action)) + " " + command.version);
    return command.action == control::Action::restart ? 7 : 0;
  }
  std::string start_objection;
  bool trusts_caller = true;
  bool may_run_programs(const nlohmann::json&) const override { return trusts_caller; }
  std::string objection_to_start(const std::string&, const VersionSettings&) const override { return start_objection; }
  void deployed_changed() override { settings = control::with_deployed(std::move(settings), live.published()); }
  void forget(const std::string&, const std::string& version) override { happened.push_back("forget " + version); }
  void upkeep_soon() override { ++upkeeps; }
  void emit(EventRecord event) override { events.push_back(std::move(event)); }
  void record(control::AuditEntry entry) override { history.push_back(std::move(entry)); }
  const control::AuditEntry* last_change(const std::string&) const override {
    return history.empty() ? nullptr : &history.back();
  }
  unsigned upkeeps = 0;
  control::ReportSource report() override {
    return {.settings = settings,
            .state = live.published(),
            .rows = rows,
            .layout = *segment,
            .views = views,
            .resident_bytes = a_kilobyte,
            .running = [](pid_t) { return control::Running{}; },
            .table = 1,
            .phase = phase,
            .uptime_s = 1,
            .pid = 41,
            .verdict = [this](const std::string&,
                              const std::string& version) { return version == "v2" ? canary : std::nullopt; }};
  }
  const RoutingTable& routing_table() override {
    table = control::build_table(settings, live.published(), views, rows);
    table.number = 1;
    return table;
  }
  RoutingTable table;
  std::vector<RouterMemory> memory;  // of the routers
  void weigh(std::function<void(std::vector<RouterMemory>)> then) override { then(memory); }
  bool stopping() const override { return is_stopping; }
  std::string locked() const override { return locked_by; }
};

}  // namespace gray::test
