#include "control/commands/rollout_verbs.hpp"

#include <fmt/format.h>

#include "config/base/units.hpp"
#include "control/commands/verb_event.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxSalt = 128;  // bytes

/// "1,5,25" or "1%,5%,25%"; nothing if a member is not a number.
std::optional<std::vector<double>> parse_steps(std::string_view text) {
  std::vector<double> steps;
  while (true) {
    const auto comma = text.find(',');
    const auto percent = parse_percent(text.substr(0, comma));
    if (!percent) return std::nullopt;
    steps.push_back(*percent);
    if (comma == std::string_view::npos || steps.size() > RolloutSettings::kMaxSteps) return steps;
    text.remove_prefix(comma + 1);
  }
}

std::optional<RolloutEvent> event_of(Verb verb, const json& args) {
  switch (verb) {
    case Verb::rollout_pause: return RolloutEvent::pause;
    case Verb::rollout_resume: return RolloutEvent::resume;
    case Verb::rollout_promote: return args.value("full", false) ? RolloutEvent::full : RolloutEvent::next;
    case Verb::rollout_abort: return RolloutEvent::abort;
    case Verb::rollout_retry: return RolloutEvent::retry;
    default: return std::nullopt;
  }
}

std::string error_in_salt(const std::string& salt) {
  const auto is_plain = [](char c) { return c > ' ' && c < 127; };
  if (!salt.empty() && salt.size() <= kMaxSalt && std::ranges::all_of(salt, is_plain)) return {};
  return fmt::format("--salt takes 1 to {} characters without spaces", kMaxSalt);
}

}  // namespace

bool RolloutVerbs::knows(Verb verb) {
  return verb == Verb::rollout_start || verb == Verb::rollout_status || event_of(verb, json::object()).has_value();
}

void RolloutVerbs::call(Verb verb, const json& args, TimePoint now, Done done) {
  if (auto error = arguments_error(verb, args); !error.empty()) return done(refusal(ExitCode::usage, std::move(error)));
  if (verb == Verb::rollout_start) return start(args, std::move(done));
  const auto service = args.at("service").get<std::string>();
  if (verb == Verb::rollout_status) return done(status(service, now));
  rollouts_.command(service, *event_of(verb, args), caller_of(args), args.value("freeze", false), std::move(done));
}

void RolloutVerbs::start(const json& args, Done done) {
  RolloutOrder order{.service = args.at("service"), .version = args.at("version")};
  if (const auto text = args.value("steps", ""); !text.empty()) {
    const auto steps = parse_steps(text);
    if (!steps) {
      return done(
          refusal(ExitCode::usage, fmt::format("--steps takes percentages such as 1,5,25,50,100, not \"{}\"", text)));
    }
    order.steps = *steps;
  }
  if (const auto text = args.value("hold", ""); !text.empty()) {
    order.hold = parse_duration(text);
    if (!order.hold)
      return done(refusal(ExitCode::usage, fmt::format("--hold takes a duration such as 30s or 2m, not \"{}\"", text)));
  }
  if (args.contains("salt")) {
    order.salt = args.at("salt").get<std::string>();
    if (auto error = error_in_salt(*order.salt); !error.empty())
      return done(refusal(ExitCode::usage, std::move(error)));
  }
  rollouts_.start(order, caller_of(args), std::move(done));
}

Reply RolloutVerbs::status(const std::string& service, TimePoint now) const {
  const auto* known = settings_.service(service);
  if (known == nullptr) return refusal(ExitCode::usage, unknown_service(settings_, service));
  const auto* rollout = rollouts_.find(service);
  if (rollout == nullptr) {
    return refusal(ExitCode::conflict,
                   fmt::format("{0} has had no rollout; to start one: grayctl rollout start {0} VERSION", service));
  }
  const auto verdict = rollout->verdict ? rollout->verdict : rollouts_.verdict(service, rollout->version);
  return {ExitCode::ok,
          {{"schema_version", 1},
           {"service", service},
           {"version", rollout->version},
           {"state", name_of(rollout->state)},
           {"step", rollout->begun},
           {"steps", rollout->steps},
           {"hold_s", std::chrono::duration<double>(rollout->hold).count()},
           {"weight", rollouts_.weight(service, rollout->version)},
           {"since", rfc3339(rollout->since)},
           {"actor", rollout->actor},
           {"reason", rollouts_.reason(service, now)},
           {"frozen", rollout->freeze},
           {"verdict", verdict ? to_json(*verdict) : json()}},
          {}};
}

}  // namespace gray::control
