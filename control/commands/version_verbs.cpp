#include "control/commands/version_verbs.hpp"

#include <fmt/core.h>

#include "control/commands/verb_event.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

Author author_of(const VersionCommand& command, const std::string& actor) {
  return {actor, fmt::format("{} {} {}", name(command.action), command.service, command.version)};
}

}  // namespace

using nlohmann::json;

void VersionVerbs::call(Action action, const json& args, Done done) {
  if (auto error = arguments_error(verb_of(action), args); !error.empty())
    return done(refusal(ExitCode::usage, std::move(error)));
  const VersionCommand command{action, args.at("service"), args.at("version"), args.value("yes", false)};
  auto verdict = judge_command(command, settings_, live_.wanted(), host_.report().views);
  if (verdict.code != ExitCode::ok) {
    auto refused = refusal(verdict.code, std::move(verdict.error));
    if (!verdict.confirm.empty()) refused.body = {{"confirm", std::move(verdict.confirm)}};
    return done(std::move(refused));
  }
  switch (action) {
    case Action::start: return start(command, caller_of(args), std::move(done));
    case Action::restart: return done(begun(command, host_.carry_out(command)));
    case Action::stop:
    case Action::drain: return end(command, caller_of(args), std::move(done));
  }
}

void VersionVerbs::start(const VersionCommand& command, const std::string& actor, Done done) {
  const bool was_stopped = is_stopped(live_.wanted(), command.service, command.version);
  live_.set_stopped(command.service, command.version, false);
  host_.persist(author_of(command, actor), [this, command, was_stopped, done = std::move(done)](const SaveEnd& end) {
    const auto* service = settings_.service(command.service);
    const bool removed = service == nullptr || service->version(command.version) == nullptr;
    if (end.code != ExitCode::ok) {
      if (!removed) live_.set_stopped(command.service, command.version, was_stopped);
      return done(refusal(end.code, "nothing was started: " + end.error));
    }
    if (host_.stopping()) return done(refusal(ExitCode::conflict, "grayd is stopping; nothing was started"));
    if (removed) {
      return done(refusal(ExitCode::conflict, fmt::format("a reload removed {} {} meanwhile; nothing was started",
                                                          command.service, command.version)));
    }
    host_.carry_out(command);
    done(begun(command, 0));
  });
}

void VersionVerbs::end(const VersionCommand& command, const std::string& actor, Done done) {
  live_.set_stopped(command.service, command.version, true);
  host_.carry_out(command);
  host_.persist(author_of(command, actor), [this, command, done = std::move(done)](const SaveEnd& end) {
    if (end.code == ExitCode::ok) return done(begun(command, 0));
    done(refusal(end.code, fmt::format("{} {} is being stopped, but {}", command.service, command.version, end.error)));
  });
}

Reply VersionVerbs::begun(const VersionCommand& command, unsigned restart) const {
  Reply reply;
  reply.body = {{"schema_version", 1},
                {"verb", name(command.action)},
                {"service", command.service},
                {"version", command.version}};
  if (restart != 0) reply.body["restart"] = {{"number", restart}};
  return reply;
}

}  // namespace gray::control
