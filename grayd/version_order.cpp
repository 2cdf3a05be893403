#include "grayd/version_order.hpp"

#include <fmt/core.h>

#include "grayd/serving.hpp"
#include "grayd/weights.hpp"

namespace gray::master {
namespace {

OrderVerdict conflict(std::string error) { return {ExitCode::conflict, std::move(error), {}}; }

bool is_replacing(const VersionView* view) {
  return view != nullptr && view->replacement && view->replacement->state == ReplacementState::running;
}

std::string progress_of(const VersionView& view) {
  return fmt::format("{} {} is being restarted, {} of {} workers replaced", view.service, view.version,
                     view.replacement->replaced, view.replacement->of);
}

OrderVerdict judge_start(const std::string& version, VersionState state) {
  if (state == VersionState::stopped || state == VersionState::failed || state == VersionState::draining) return {};
  return conflict(fmt::format("{0} is already running; to replace its workers: grayctl restart {0}", version));
}

OrderVerdict judge_restart(const std::string& version, VersionState state, const VersionView* view) {
  if (state == VersionState::stopped)
    return conflict(fmt::format("{0} is stopped; start it: grayctl start {0}", version));
  if (state == VersionState::failed)
    return conflict(fmt::format("{0} has failed; start it: grayctl start {0}", version));
  if (state == VersionState::draining)
    return conflict(fmt::format("{0} is being stopped; once it is, start it: grayctl start {0}", version));
  if (!is_replacing(view)) return {};
  return conflict(fmt::format("{}; wait for its end: grayctl status {} --wait", progress_of(*view), view->service));
}

/// What whoever ends the version must agree to, and what else he could do; empty if nothing.
struct Objection {
  std::string what, instead;
};

Objection objection_to_end(const Ordered& ordered, const ServiceSettings& service, const control::State& state,
                           const VersionView* view) {
  const auto shares = shares_of(service, state);
  if (ordered.version == shares.stable)
    return {fmt::format("{} is the stable version of {}, whose users would get errors", ordered.version, service.name),
            ""};
  if (const double weight = shares.of(ordered.version); weight > 0)
    return {fmt::format("{} takes {:g}% of the users of {}", ordered.version, weight, service.name),
            fmt::format("send them to {0} first: grayctl shift {1} {2} 0; or ", shares.stable, service.name,
                        ordered.version)};
  if (is_replacing(view))
    return {progress_of(*view), fmt::format("wait for its end: grayctl status {} --wait; or ", service.name)};
  return {};
}

OrderVerdict judge_end(const Ordered& ordered, const ServiceSettings& service, const control::State& state,
                       const VersionView* view, VersionState doing) {
  const auto version = fmt::format("{} {}", ordered.service, ordered.version);
  if (doing == VersionState::stopped)
    return conflict(fmt::format("{0} is stopped already; start it: grayctl start {0}", version));
  if (doing == VersionState::draining && ordered.order == Order::drain)
    return conflict(fmt::format("{0} is being stopped already; to end it at once: grayctl stop {0}", version));
  if (ordered.yes || doing == VersionState::draining) return {};
  auto [what, instead] = objection_to_end(ordered, service, state, view);
  if (what.empty()) return {};
  return {ExitCode::conflict,
          fmt::format("{}; {}if you mean it: grayctl {} {} --yes", what, instead, name(ordered.order), version), what};
}

}  // namespace

control::Verb verb_of(Order order) {
  switch (order) {
    case Order::start: return control::Verb::start;
    case Order::stop: return control::Verb::stop;
    case Order::restart: return control::Verb::restart;
    case Order::drain: return control::Verb::drain;
  }
  return control::Verb::count;
}

std::string_view name(Order order) { return control::name_of(verb_of(order)); }

OrderVerdict judge_order(const Ordered& ordered, const Settings& settings, const control::State& state,
                         const std::vector<VersionView>& views) {
  const auto* service = settings.service(ordered.service);
  if (service == nullptr) return {ExitCode::usage, unknown_service(settings, ordered.service), {}};
  if (auto error = unknown_version(*service, ordered.version); !error.empty())
    return {ExitCode::usage, std::move(error), {}};
  const auto* view = view_of(views, ordered.service, ordered.version);
  const VersionState doing = view == nullptr ? VersionState::stopped : view->state;
  const auto version = fmt::format("{} {}", ordered.service, ordered.version);
  switch (ordered.order) {
    case Order::start: return judge_start(version, doing);
    case Order::restart: return judge_restart(version, doing, view);
    case Order::stop:
    case Order::drain: return judge_end(ordered, *service, state, view, doing);
  }
  return {};
}

}  // namespace gray::master
