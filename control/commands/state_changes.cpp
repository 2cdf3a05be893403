#include "control/commands/state_changes.hpp"

#include <fmt/format.h>

#include <utility>

#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

Reply after_applied(const std::string& laggards) {
  if (laggards.empty()) return {ExitCode::ok, {{"schema_version", 1}}, {}};
  return refusal(ExitCode::timeout,
                 fmt::format("published, but not applied in time by {}; see grayctl status", laggards));
}

/// "shift web v2 to 20%", with the share if it changes.
Author author_of(const AuditEntry& change) {
  auto what = fmt::format("{} {} {}", change.what, change.service, change.version);
  if (change.before->of(change.version) != change.after->of(change.version))
    what += fmt::format(" to {:g}%", change.after->of(change.version));
  return {change.actor, std::move(what)};
}

}  // namespace

void StateChanges::compare(AuditEntry& change, const ServiceState& next) const {
  const auto* service = settings_.service(change.service);
  if (service == nullptr) return;
  change.before = split_of(*service, live_.published());
  change.after = split_of(*service, State{{change.service, next}});
}

void StateChanges::publish_first(AuditEntry change, ServiceState next, Done done) {
  compare(change, next);
  const auto by = author_of(change);
  live_.publish(change.service, live_.want(change.service, std::move(next), by));
  change.time = wall_now();
  host_.publish([this, by, change = std::move(change), done = std::move(done)](const std::string& laggards) {
    host_.persist(by, [this, change, done, laggards](const SaveEnd& end) {
      record(change, end);
      if (end.code == ExitCode::ok) return done(after_applied(laggards));
      done(refusal(end.code, fmt::format("the routers have applied it, but {}", end.error)));
    });
  });
}

void StateChanges::save_first(AuditEntry change, ServiceState next, std::string done_what, Done done) {
  compare(change, next);
  const auto by = author_of(change);
  const auto ticket = live_.want(change.service, std::move(next), by);
  host_.persist(by, [this, ticket, change = std::move(change), done_what = std::move(done_what),
                     done = std::move(done)](const SaveEnd& end) {
    if (end.code != ExitCode::ok) {
      live_.withdraw(change.service, ticket);
      return done(refusal(end.code, fmt::format("nothing was {}: {}", done_what, end.error)));
    }
    if (!live_.publish(change.service, ticket)) return done(overtaken(change.service));
    record(change, end);
    host_.publish([done](const std::string& laggards) { done(after_applied(laggards)); });
  });
}

Reply StateChanges::overtaken(const std::string& service) const {
  const auto& later = live_.last_author(service);
  return refusal(ExitCode::conflict, fmt::format("a later change of {} was applied first: {} ({}); see grayctl status",
                                                 service, later.what, later.who));
}

/// A change without a name is a part of the one before.
void StateChanges::record(AuditEntry change, const SaveEnd& end) {
  if (change.what.empty()) return;
  if (end.code == ExitCode::ok) change.revision = end.revision;
  host_.record(std::move(change));
}

}  // namespace gray::control
