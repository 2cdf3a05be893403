#include "control/traffic/serving.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "config/base/units.hpp"

namespace gray::control {
namespace {

bool has_failed_first_start(const VersionView* view) {
  if (view == nullptr || view->workers.empty()) return view != nullptr && view->state == VersionState::failed;
  return view->state == VersionState::failed ||
         std::all_of(view->workers.begin(), view->workers.end(),
                     [](const WorkerView& worker) { return !worker.last_exit.empty(); });
}

std::string complaint_about(std::string_view service, std::string_view version, std::string_view what,
                            const VersionView* view) {
  return fmt::format("{}@{} ({}) is {}{}", service, version, what,
                     name(view == nullptr ? VersionState::stopped : view->state),
                     view == nullptr || view->cause.empty() ? "" : ": " + view->cause);
}

}  // namespace

const VersionView* view_of(const std::vector<VersionView>& views, std::string_view service, std::string_view version) {
  const auto found = std::find_if(views.begin(), views.end(), [&](const VersionView& view) {
    return view.service == service && view.version == version;
  });
  return found == views.end() ? nullptr : &*found;
}

Duration longest_drain(const Settings& settings) {
  Duration longest{0};
  for (const auto& service : settings.services) {
    for (const auto& version : service.versions) longest = std::max(longest, version.drain_timeout);
  }
  return longest;
}

bool is_up(const VersionView* view) {
  return view != nullptr && std::any_of(view->workers.begin(), view->workers.end(),
                                        [](const WorkerView& worker) { return worker.routable; });
}

bool may_listen(const Settings& settings, const State& state, const std::vector<VersionView>& views) {
  return std::all_of(settings.services.begin(), settings.services.end(), [&](const ServiceSettings& service) {
    const auto version = shares_of(service, state).stable;
    const auto* stable = view_of(views, service.name, version);
    return is_up(stable) || has_failed_first_start(stable) || is_stopped(state, service.name, version);
  });
}

std::string objection_to_shift(const ShiftOrder& order, const std::vector<VersionView>& views) {
  const auto* view = view_of(views, order.service, order.version);
  if (is_up(view)) return fraction_question(order.percent);
  return complaint_about(order.service, order.version, "its users would get stable", view);
}

std::string health_complaint(const ServiceSettings& service, const State& state, const std::vector<VersionView>& views,
                             const std::optional<Verdict>& verdict) {
  const auto shares = shares_of(service, state);
  const auto* stable = view_of(views, service.name, shares.stable);
  if (!is_up(stable)) return complaint_about(service.name, shares.stable, "stable", stable);
  const auto* canary = view_of(views, service.name, shares.canary);
  if (shares.weight <= 0) return {};
  const auto users = fmt::format("{:g}% of the users", shares.weight);
  if (canary != nullptr && canary->state == VersionState::failed)
    return complaint_about(service.name, shares.canary, users, canary);
  if (!verdict || verdict->result != VerdictResult::fail) return {};
  return fmt::format("{0}@{1} ({2}) is worse than stable: {3}; to go back: grayctl shift {0} {1} 0", service.name,
                     shares.canary, users, verdict->text);
}

ServiceReadiness readiness(const Settings& settings, const State& state, const std::vector<VersionView>& views) {
  ServiceReadiness all;
  for (const ServiceSettings& service : settings.services) {
    all.any = all.any || is_up(view_of(views, service.name, shares_of(service, state).stable));
    const std::string problem = health_complaint(service, state, views);
    if (!problem.empty()) all.problems += (all.problems.empty() ? "" : "; ") + problem;
  }
  return all;
}

}  // namespace gray::control
