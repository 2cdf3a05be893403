#include "control/report/status_report.hpp"

#include "config/shared/totals.hpp"
#include "control/release/formers.hpp"
#include "control/report/warnings.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"
#include "control/version.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

double seconds_up(const WorkerView& worker, TimePoint now) {
  return worker.pid > 0 ? std::chrono::duration<double>(now - worker.started).count() : 0;
}

json worker_json(const WorkerView& worker, const ReportSource& source) {
  const auto& cell = source.layout.workers[worker.cell];
  const Running running = worker.pid > 0 ? source.running(worker.pid) : Running{};
  return {{"id", worker.id},
          {"pid", worker.pid},
          {"state", name(worker.state)},
          {"address", worker.address ? worker.address->text() : std::string()},
          {"ready_by", worker.ready_by},
          {"status", worker.status},
          {"program", running.program},
          {"cwd", running.cwd},
          {"restarts", worker.restarts},
          {"last_exit", worker.last_exit},
          {"rss_bytes", source.resident(worker)},
          {"memory_bytes", source.memory(worker)},
          {"uptime_s", seconds_up(worker, source.now)},
          {"sockets", worker.pid > 0 ? cell.sockets.total() : 0},
          {"tunnels", worker.pid > 0 ? cell.tunnels.total() : 0}};
}

/// A slot in back-off has no process and so no cell: its old cell may belong to another worker.
std::uint32_t open_sockets(const VersionView* view, const segment::Layout& layout) {
  std::uint32_t sockets = 0;
  if (view == nullptr) return sockets;
  for (const auto& worker : view->workers) {
    if (worker.pid > 0) sockets += layout.workers[worker.cell].sockets.total();
  }
  return sockets;
}

void add_counters(json& out, const ReportSource& source, const std::string& service, const std::string& version) {
  segment::Totals totals;
  std::uint32_t waiting = 0;
  if (const auto row = source.rows.find(service, version)) {
    totals = segment::sum(source.layout, *row);
    waiting = source.layout.versions[*row].waiting.total();
  }
  out["requests"] = totals.requests;
  out["errors"] = totals.errors;
  out["retries"] = totals.retries;
  out["affinity_spills"] = totals.affinity_spills;
  out["in_flight"] = totals.in_flight;
  out["queue"] = {{"waiting", waiting}, {"limit", source.settings.service(service)->limits.queue}};
}

const char* word_of(VerdictResult result) {
  switch (result) {
    case VerdictResult::pass: return "ok";
    case VerdictResult::fail: return "worse";
    case VerdictResult::insufficient: break;
  }
  return "insufficient";
}

void add_last_minute(json& out, const ReportSource& source, const std::string& service, const std::string& version) {
  const auto figures = source.last_minute ? source.last_minute(service, version) : MinuteFigures{};
  out["last_minute"] = {{"requests_per_second", figures.requests_per_second},
                        {"error_ratio", figures.error_ratio},
                        {"p50_ms", figures.p50_ms},
                        {"p95_ms", figures.p95_ms},
                        {"p99_ms", figures.p99_ms}};
}

/// Only a version that gets users beside stable has one. Just after it got them there is none yet.
void add_verdict(json& out, const ReportSource& source, const ServiceSettings& service, const std::string& version) {
  const auto shares = shares_of(service, source.state);
  const bool judged = shares.canary == version && shares.weight > 0;
  const auto verdict = judged ? source.verdict_of(service.name, version).value_or(Verdict{}) : Verdict{};
  out["verdict"] = judged ? word_of(verdict.result) : "none";
  out["verdict_text"] = verdict.text;
}

json restart_json(const VersionView* view) {
  if (view == nullptr || !view->replacement) return nullptr;
  const auto& last = *view->replacement;
  return {{"number", last.number},
          {"state", name(last.state)},
          {"replaced", last.replaced},
          {"of", last.of},
          {"reason", last.reason}};
}

json late_stops_json(const VersionView* view) {
  if (view == nullptr || view->late_stops.workers == 0) return nullptr;
  return {{"workers", view->late_stops.workers}, {"last", view->late_stops.last}};
}

json former_json(const ReportSource& source, const ServiceSettings& service, const std::string& version) {
  const auto* former = former_of(fact_of(source.state, service.name), version);
  if (former == nullptr) return nullptr;
  const auto until = warm_until(service, *former);
  return {{"since", rfc3339(former->since)}, {"warm_until", until ? json(rfc3339(*until)) : json()}};
}

void add_release(json& out, const ReportSource& source, const ServiceSettings& service, const std::string& version) {
  const auto& fact = fact_of(source.state, service.name);
  const auto deployed = fact.deployed.find(version);
  const bool is_deployed = deployed != fact.deployed.end();
  out["deployed"] = is_deployed;
  out["deployed_at"] = is_deployed ? json(rfc3339(deployed->second.deployed_at)) : json();
  out["removing"] = is_deployed && deployed->second.removing;
  out["former"] = former_json(source, service, version);
}

json undo_json(const ReportSource& source, const std::string& service) {
  const auto found = source.undos.find(service);
  if (found == source.undos.end()) return nullptr;
  const auto& undo = found->second;
  return {{"number", undo.number},
          {"to", undo.to},
          {"state", name(undo.state)},
          {"text", undo.text},
          {"exit_code", static_cast<int>(undo.code)}};
}

json version_json(const ReportSource& source, const ServiceSettings& service, const VersionSettings& version) {
  const auto* view = view_of(source.views, service.name, version.name);
  json out = {{"name", version.name},
              {"weight", shares_of(service, source.state).of(version.name)},
              {"configured_weight", configured_shares(service).of(version.name)},
              {"instances", version.instances},
              {"state", name(view == nullptr ? VersionState::stopped : view->state)},
              {"stopped", is_stopped(source.state, service.name, version.name)},
              {"targeted", takes_targeted_users(source.state, service.name, version.name)},
              {"instances", version.instances},
              {"restart", restart_json(view)},
              {"late_stops", late_stops_json(view)},
              {"cause", view == nullptr ? std::string() : view->cause},
              {"sockets", open_sockets(view, source.layout)},
              {"workers", json::array()}};
  add_counters(out, source, service.name, version.name);
  add_release(out, source, service, version.name);
  add_last_minute(out, source, service.name, version.name);
  add_verdict(out, source, service, version.name);
  if (view != nullptr) {
    for (const auto& worker : view->workers) out["workers"].push_back(worker_json(worker, source));
  }
  return out;
}

json service_json(const ReportSource& source, const ServiceSettings& service) {
  const auto target = undo_target(service, source.state);
  json out = {{"name", service.name},
              {"undo_to", target.empty() ? json() : json(target)},
              {"undo", undo_json(source, service.name)},
              {"stable", shares_of(service, source.state).stable},
              {"configured_stable", service.stable},
              {"rules", service.rules.size()},
              {"allowlist", service.allowlist.count},
              {"versions", json::array()}};
  for (const auto& version : service.versions) out["versions"].push_back(version_json(source, service, version));
  return out;
}

json router_json(const RouterView& router) {
  return {{"pid", router.pid},
          {"slot", router.slot},
          {"state", name(router.state)},
          {"table", router.applied},
          {"uptime_s", router.uptime_s}};
}

json warning_json(const Warning& warning) {
  return {{"cause", warning.cause}, {"service", warning.service}, {"version", warning.version}, {"text", warning.text}};
}

json time_or_null(WallTime time) { return time == WallTime{} ? json() : json(rfc3339(time)); }

json tls_json(const TlsView& view) {
  return {{"name", view.name},
          {"hosts", view.hosts},
          {"not_after", time_or_null(WallTime(std::chrono::seconds(view.not_after)))},
          {"loaded", time_or_null(view.loaded)},
          {"error", view.error.empty() ? json() : json(view.error)}};
}

json upgrade_json(const UpgradeView& upgrade) {
  return {{"number", upgrade.number}, {"of", upgrade.of},   {"state", name(upgrade.state)},
          {"text", upgrade.text},     {"pid", upgrade.pid}, {"exit_code", static_cast<int>(upgrade.code)}};
}

}  // namespace

json status_report(const ReportSource& source) {
  json out = {{"schema_version", 1},
              {"version", kVersion},
              {"pid", source.pid},
              {"program", source.running(source.pid).program},
              {"state", name(source.phase)},
              {"uptime_s", source.uptime_s},
              {"config_file", source.settings.file},
              {"config_changed", source.config_changed},
              {"admin", source.settings.admin},
              {"metrics", source.settings.metrics},
              {"dashboard", source.settings.dashboard},
              {"table", source.table},
              {"warnings", json::array()},
              {"upgrades", json::array()},
              {"listen", json::array()},
              {"https", json::array()},
              {"proxy_protocol", json::array()},
              {"tls", json::array()},
              {"routers", json::array()},
              {"services", json::array()}};
  for (const auto& warning : warnings(source)) out["warnings"].push_back(warning_json(warning));
  for (const auto& upgrade : source.upgrades) out["upgrades"].push_back(upgrade_json(upgrade));
  for (const auto& address : source.settings.listen) out["listen"].push_back(address.text());
  for (const auto& address : source.settings.https) out["https"].push_back(address.text());
  for (const auto& one : source.tls) out["tls"].push_back(tls_json(one));
  for (const auto& address : source.settings.proxy_protocol) out["proxy_protocol"].push_back(address.text());
  for (const auto& router : source.routers) out["routers"].push_back(router_json(router));
  for (const auto& service : source.settings.services) out["services"].push_back(service_json(source, service));
  return out;
}

}  // namespace gray::control
