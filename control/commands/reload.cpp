#include "control/commands/reload.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>

#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

bool takes_requests(const VersionView* view) {
  return view != nullptr && view->state != VersionState::stopped && view->state != VersionState::draining &&
         view->state != VersionState::failed;
}

void keep_facts(ServiceState& fact, const ServiceSettings& old, const ServiceSettings& fresh) {
  if (fact.stable.empty() && old.stable != fresh.stable) fact.stable = old.stable;
  for (const auto& version : fresh.versions) {
    const auto* before = old.version(version.name);
    if (before == nullptr || before->weight == version.weight) continue;
    fact.weights.emplace(version.name, before->weight);
  }
}

}  // namespace

std::vector<LiveService> live_services(const Settings& settings, const State& state,
                                       const std::vector<VersionView>& views) {
  std::vector<LiveService> services;
  for (const auto& service : settings.services) {
    const auto shares = shares_of(service, state);
    LiveService live{service.name, shares.stable, {}};
    for (const auto& version : service.versions) {
      live.versions.push_back(
          {version.name, shares.of(version.name), takes_requests(view_of(views, service.name, version.name))});
    }
    services.push_back(std::move(live));
  }
  return services;
}

State state_after(const State& state, const Settings& old, const Settings& fresh) {
  auto after = pruned(state, old);
  for (const auto& service : fresh.services) {
    if (const auto* before = old.service(service.name)) keep_facts(after[service.name], *before, service);
  }
  after = pruned(after, fresh);
  std::erase_if(after, [](const auto& entry) { return entry.second == ServiceState{}; });
  return after;
}

std::string text_of(const Change& change, bool stopped) {
  const auto version = fmt::format("version {} {}", change.service, change.version);
  const bool changes_workers = change.kind == Change::Kind::restart_version ||
                               change.kind == Change::Kind::update_version ||
                               change.kind == Change::Kind::resize_version;
  if (stopped && changes_workers) return version + ": changed; takes effect at its next start";
  if (stopped && change.kind == Change::Kind::add_version)
    return fmt::format("{}: added; it is stopped: grayctl start {} {}", version, change.service, change.version);
  switch (change.kind) {
    case Change::Kind::router: return "router: a new generation with the new settings";
    case Change::Kind::certificates: return "tls: new certificates";
    case Change::Kind::memory: return "memory: a new level of leak detection";
    case Change::Kind::add_service: return fmt::format("service {}: added", change.service);
    case Change::Kind::add_version: return version + ": started";
    case Change::Kind::restart_version: return version + ": rolling restart";
    case Change::Kind::update_version: return version + ": updated without a restart";
    case Change::Kind::resize_version: return version + ": number of instances changed";
    case Change::Kind::reroute_service: return fmt::format("service {}: new routing", change.service);
    case Change::Kind::change_release:
      return fmt::format("service {}: new settings of releases; they take effect at its next deploy or rollout",
                         change.service);
    case Change::Kind::remove_version: return version + ": drains and ends";
    case Change::Kind::remove_service: return fmt::format("service {}: removed", change.service);
  }
  return {};
}

bool needs_new_router(const Changes& changes) {
  return std::any_of(changes.begin(), changes.end(),
                     [](const Change& change) { return change.kind == Change::Kind::router; });
}

EventRecord reload_event(const Reply& reply, const std::string& file) {
  EventRecord event;
  if (reply.code != ExitCode::ok) {
    event.kind = EventKind::reload_refused;
    event.cause = reply.code == ExitCode::bad_config ? "bad-config"
                  : reply.code == ExitCode::conflict ? "conflict"
                                                     : "router";
    event.text = reply.error.substr(0, reply.error.find('\n'));
    return event;
  }
  event.kind = EventKind::reloaded;
  for (const auto& change : reply.body.value("changes", nlohmann::json::array()))
    event.text += (event.text.empty() ? "" : "; ") + change.get<std::string>();
  if (event.text.empty()) event.text = file + " has no changes";
  return event;
}

std::vector<std::string> warning_lines(const Reply& reply) {
  std::vector<std::string> lines;
  if (reply.code != ExitCode::ok) return lines;
  std::istringstream text(reply.body.value("warnings", ""));
  for (std::string line; std::getline(text, line);)
    if (!line.starts_with("  ")) lines.push_back(line);
  return lines;
}

}  // namespace gray::control
