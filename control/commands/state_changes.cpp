#include "control/commands/state_changes.hpp"

#include <fmt/core.h>

#include <utility>

namespace gray::control {
namespace {

Reply after_applied(const std::string& laggards) {
  if (laggards.empty()) return {ExitCode::ok, {{"schema_version", 1}}, {}};
  return refusal(ExitCode::timeout,
                 fmt::format("published, but not applied in time by {}; see grayctl status", laggards));
}

}  // namespace

void StateChanges::publish_first(const std::string& service, ServiceState next, Done done) {
  live_.publish(service, live_.want(service, std::move(next)));
  host_.publish([this, done = std::move(done)](const std::string& laggards) {
    host_.persist([done, laggards](const std::string& error) {
      if (error.empty()) return done(after_applied(laggards));
      done(refusal(ExitCode::failed, fmt::format("the routers have applied it, but {}", error)));
    });
  });
}

void StateChanges::save_first(const std::string& service, ServiceState next, std::string what, Done done) {
  const auto ticket = live_.want(service, std::move(next));
  host_.persist([this, service, ticket, what = std::move(what), done = std::move(done)](const std::string& error) {
    if (!error.empty()) {
      live_.withdraw(service, ticket);
      return done(refusal(ExitCode::failed, fmt::format("nothing was {}: {}", what, error)));
    }
    if (!live_.publish(service, ticket)) {
      return done(refusal(ExitCode::conflict,
                          fmt::format("a later change of {} was applied first; see grayctl status", service)));
    }
    host_.publish([done](const std::string& laggards) { done(after_applied(laggards)); });
  });
}

}  // namespace gray::control
