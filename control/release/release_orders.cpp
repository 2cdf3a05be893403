#include "control/release/release_orders.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/settings/release.hpp"
#include "config/settings/service_toml.hpp"
#include "config/settings/version_toml.hpp"
#include "control/release/formers.hpp"
#include "control/traffic/deployed.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

ReleaseVerdict usage(std::string error) { return {ExitCode::usage, std::move(error), {}}; }
ReleaseVerdict refused(std::string error) { return {ExitCode::conflict, std::move(error), {}}; }

ReleaseVerdict unconfirmed(std::string what, const std::string& command) {
  auto error = fmt::format("{}; to do it anyway: {} --yes", what, command);
  return {ExitCode::conflict, std::move(error), std::move(what)};
}

ReleaseVerdict no_release(const std::string& service) {
  return usage(fmt::format(
      "the configuration does not say how a version of {0} is started; add to it, and then: grayctl reload\n"
      "[service.{0}.release]\ncommand = [\"PROGRAM\", \"ARGUMENT\"]\ncwd = \"releases/{{version}}\"\n",
      service));
}

/// The reason why a version of this name cannot be deployed, with the way to start it.
ReleaseVerdict exists(const std::string& name, const VersionSettings& version, const VersionView* view, bool removing) {
  const VersionState state = view == nullptr ? VersionState::stopped : view->state;
  const auto what = fmt::format("{} exists already and is {}", name, gray::name(state));
  if (removing) return refused(fmt::format("{} is being removed; deploy it when it is gone from grayctl status", name));
  const bool down = state == VersionState::stopped || state == VersionState::failed;
  if (version.deployed && state == VersionState::failed)
    return refused(fmt::format("{0}; correct it, then: grayctl remove {1}, and deploy it again", what, name));
  if (version.deployed)
    return refused(fmt::format("{0}; to replace it: grayctl remove {1}, and deploy it again; to {2}: grayctl {3} {1}",
                               what, name, down ? "run it" : "replace its workers", down ? "start" : "restart"));
  return refused(fmt::format("{0}; it is in the configuration file; to {1}: grayctl {2} {3}", what,
                             down ? "run it" : "replace its workers", down ? "start" : "restart", name));
}

/// Versions that were removed keep their rows until they have drained.
std::size_t rows_in_use(const Settings& settings, const std::vector<VersionView>& views) {
  std::size_t rows = 0;
  for (const ServiceSettings& service : settings.services) rows += service.versions.size();
  for (const VersionView& view : views) {
    const auto* service = settings.service(view.service);
    if (service == nullptr || service->version(view.version) == nullptr) ++rows;
  }
  return rows;
}

std::size_t routable(const VersionView* view) {
  if (view == nullptr) return 0;
  return static_cast<std::size_t>(
      std::ranges::count_if(view->workers, [](const WorkerView& worker) { return worker.routable; }));
}

std::string not_up(const std::string& name, const VersionView* view) {
  const auto state = gray::name(view == nullptr ? VersionState::stopped : view->state);
  const auto cause = view == nullptr || view->cause.empty() ? std::string() : ": " + view->cause;
  return fmt::format("{0} is {1} and cannot serve users{2}; see grayctl status", name, state, cause);
}

/// It decides the weights, and so which version becomes stable.
std::string rollout_runs(const ServiceSettings& service, const State& state, const std::string& remedy) {
  const auto* rollout = running_rollout(fact_of(state, service.name));
  if (rollout == nullptr) return {};
  return text_of(service.name, *rollout) + "; " + remedy;
}

std::string names_of(const std::vector<Former>& formers) {
  std::string names;
  for (auto one = formers.rbegin(); one != formers.rend(); ++one) names += (names.empty() ? "" : ", ") + one->name;
  return names;
}

}  // namespace

bool is_fully_up(const VersionView* view, const VersionSettings& version) {
  return routable(view) >= version.instances;
}

ReleaseVerdict judge_deploy(const Settings& settings, const State& state, const std::vector<VersionView>& views,
                            const DeployOrder& order, VersionSettings& deployed) {
  const auto* service = settings.service(order.service);
  if (service == nullptr) return usage(unknown_service(settings, order.service));
  if (!is_name(order.version) || order.version.starts_with('-'))  // it may be an argument of a program
    return usage(
        fmt::format("\"{}\" is not a valid name of a version: use 1 to 64 of a-z, A-Z, 0-9, _ and -, not - at "
                    "the beginning",
                    order.version.substr(0, 100)));
  const auto name = order.service + " " + order.version;
  const auto* view = view_of(views, order.service, order.version);
  if (const auto* known = service->version(order.version))
    return exists(name, *known, view, is_removing(fact_of(state, order.service), order.version));
  if (view != nullptr) return refused(fmt::format("an earlier {} still drains; deploy it when that has ended", name));
  if (!service->release) return no_release(order.service);
  for (const auto& [variable, value] : order.env)
    if (const auto problem = env_problem(variable, service->release->form.listen); !problem.empty())
      return usage(problem);
    else if (value.find('\0') != value.npos)
      return usage(fmt::format("the value of {} contains a NUL character", variable));
  deployed = instantiate(*service->release, order.version, order.env);
  if (auto problem = no_room(settings, rows_in_use(settings, views), deployed.instances); !problem.empty())
    return refused(std::move(problem));
  return {};
}

ReleaseVerdict judge_promote(const Settings& settings, const State& state, const std::vector<VersionView>& views,
                             const PromoteOrder& order) {
  const auto* service = settings.service(order.service);
  if (service == nullptr) return usage(unknown_service(settings, order.service));
  if (auto error = unknown_version(*service, order.version); !error.empty()) return usage(std::move(error));
  const auto name = order.service + " " + order.version;
  const auto shares = shares_of(*service, state);
  if (shares.stable == order.version) return refused(name + " is the stable version already");
  if (is_removing(fact_of(state, order.service), order.version)) return refused(name + " is being removed");
  if (is_stopped(state, order.service, order.version))
    return refused(fmt::format("{0} is stopped; start it first: grayctl start {0}", name));
  const auto* rollout = running_rollout(fact_of(state, order.service));
  const bool same = rollout != nullptr && rollout->version == order.version;
  if (auto error = rollout_runs(*service, state,
                                fmt::format("to {}: grayctl rollout {} {}", same ? "skip its steps" : "end it",
                                            same ? "promote --full" : "abort", order.service));
      !error.empty())
    return refused(std::move(error));
  if (!shares.canary.empty() && shares.canary != order.version)
    return refused(fmt::format("{0} has {1:g}% of the users of {2}; send them to stable first: grayctl shift {2} {0} 0",
                               shares.canary, shares.weight, order.service));
  const auto* view = view_of(views, order.service, order.version);
  if (!is_up(view)) return refused(not_up(name, view));
  const auto command = "grayctl promote " + name;
  if (const auto& version = *service->version(order.version); !order.yes && !is_fully_up(view, version))
    return unconfirmed(fmt::format("only {} of {} workers of {} are healthy", routable(view), version.instances, name),
                       command);
  return {};
}

ReleaseVerdict judge_undo(const Settings& settings, const State& state, const UndoOrder& order, std::string& target) {
  const auto* service = settings.service(order.service);
  if (service == nullptr) return usage(unknown_service(settings, order.service));
  const auto& fact = fact_of(state, order.service);
  if (!order.to.empty()) {
    if (auto error = unknown_version(*service, order.to); !error.empty()) return usage(std::move(error));
    const auto* former = former_of(fact, order.to);
    if (former == nullptr || is_removing(fact, order.to))
      return refused(fmt::format(
          "{0} {1} is not a version that undo can go back to ({2}); to make it stable: grayctl "
          "promote {0} {1}",
          order.service, order.to, fact.formers.empty() ? "there is none" : "known: " + names_of(fact.formers)));
    target = order.to;
    return {};
  }
  target = undo_target(*service, state);
  if (!target.empty()) return {};
  return refused(fmt::format("{0} has no stable version before {1} to go back to; see grayctl status {0}",
                             order.service, shares_of(*service, state).stable));
}

ReleaseVerdict judge_remove(const Settings& settings, const State& state, const RemoveOrder& order) {
  const auto* service = settings.service(order.service);
  if (service == nullptr) return usage(unknown_service(settings, order.service));
  if (auto error = unknown_version(*service, order.version); !error.empty()) return usage(std::move(error));
  const auto name = order.service + " " + order.version;
  if (!is_deployed(*service, order.version))
    return usage(fmt::format("{} is in the configuration file: remove it there, and then: grayctl reload", name));
  const auto shares = shares_of(*service, state);
  if (shares.stable == order.version)
    return refused(
        fmt::format("{} is the stable version of {}, whose users would get errors; make a different version "
                    "stable first: grayctl promote {} VERSION",
                    order.version, order.service, order.service));
  if (const double weight = shares.of(order.version); weight > 0)
    return refused(fmt::format("{} has {:g}% of the users; send them to {} first: grayctl shift {} 0", name, weight,
                               shares.stable, name));
  if (is_removing(fact_of(state, order.service), order.version)) return refused(name + " is being removed already");
  if (const auto* rollout = running_rollout(fact_of(state, order.service));
      rollout != nullptr && rollout->version == order.version)
    return refused(rollout_runs(*service, state, "to end it: grayctl rollout abort " + order.service));
  return {};
}

}  // namespace gray::control
