#include "control/commands/verbs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "control/commands/audit_entries.hpp"
#include "control/commands/explain_verbs.hpp"
#include "control/commands/verb_event.hpp"
#include "control/report/memory_report.hpp"
#include "control/report/metrics.hpp"
#include "control/report/status_report.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

Reply agreed() { return {ExitCode::ok, {{"schema_version", 1}}, {}}; }

}  // namespace

void Verbs::call(Verb verb, const json& args, Done done) {
  const auto handler = handler_of(verb);
  if (!knows(verb)) return done(refusal(ExitCode::usage, unknown_verb(name_of(verb))));
  if (changes(verb)) done = naming_the_last_change(args, std::move(done));
  if (auto why = changes(verb) ? unchangeable() : std::string(); !why.empty())
    return done(refusal(ExitCode::conflict, std::move(why)));
  if (handler == nullptr) return rollout_verbs_.call(verb, args, host_.report().now, std::move(done));
  handler(*this, args, std::move(done));
}

/// A caller who is refused because of a version that a different caller has changed is told who that was, and how.
Verbs::Done Verbs::naming_the_last_change(const json& args, Done done) const {
  const auto service = args.find("service");
  if (service == args.end() || !service->is_string()) return done;
  return [this, name = service->get<std::string>(), done = std::move(done)](Reply reply) {
    const auto* last = host_.last_change(name);
    const bool asks = reply.body.is_object() && reply.body.contains("confirm");
    const bool names_it =
        last != nullptr && !last->version.empty() && reply.error.find(last->version) != std::string::npos;
    if (reply.code == ExitCode::conflict && !asks && names_it && reply.error.find("pid ") == std::string::npos)
      reply.error += fmt::format("; the last change of {}: {} {} ({}, by {})", name, last->what, last->version,
                                 rfc3339(last->time), last->actor);
    done(std::move(reply));
  };
}

std::string Verbs::unchangeable() const {
  return host_.stopping() ? "grayd is stopping; nothing can be changed any more" : host_.locked();
}

Reply Verbs::health_of(const std::string& only) {
  if (!only.empty() && settings_.service(only) == nullptr) {
    return refusal(ExitCode::usage, unknown_service(settings_, only));
  }
  const auto source = host_.report();
  std::string complaints;
  if (source.phase != Phase::serving) complaints = std::string("grayd is ") + name(source.phase);
  for (const auto& service : source.settings.services) {
    if (!only.empty() && service.name != only) continue;
    const auto canary = shares_of(service, source.state).canary;
    const auto complaint =
        health_complaint(service, source.state, source.views, source.verdict_of(service.name, canary));
    if (!complaint.empty()) complaints += (complaints.empty() ? "" : "; ") + complaint;
  }
  if (!complaints.empty()) return refusal(ExitCode::failed, complaints);
  auto reply = agreed();
  reply.body["healthy"] = true;
  return reply;
}

/// While a rollout runs, it decides the weight. To take its users away is an abort.
void Verbs::shift(const ShiftOrder& order, const std::string& actor, Done done) {
  if (auto why = unchangeable(); !why.empty()) return done(refusal(ExitCode::conflict, std::move(why)));
  if (const auto* rollout = rollouts_.find(order.service); rollout != nullptr && is_running(rollout->state)) {
    if (order.version == rollout->version && order.percent == 0)
      return rollouts_.withdraw(order.service, actor, std::move(done));
    return done(
        refusal(ExitCode::conflict, fmt::format("{} and decides the weights; to end it: grayctl rollout abort {}",
                                                text_of(order.service, *rollout), order.service)));
  }
  auto verdict = judge_shift(settings_, live_.published(), live_.wanted(), order);
  if (verdict.code != ExitCode::ok) return done(refusal(verdict.code, std::move(verdict.error)));
  if (const auto what = order.yes ? std::string() : objection(order); !what.empty()) {
    return done({ExitCode::conflict,
                 {{"confirm", what}},
                 fmt::format("{}{} to shift it anyway: grayctl shift {} {} {:g} --yes", what,
                             what.ends_with('?') ? "" : ";", order.service, order.version, order.percent)});
  }
  if (const auto busy = verdict.lowers ? std::string() : releases_.busy(order.service); !busy.empty())
    return done(refusal(ExitCode::conflict, busy));
  AuditEntry change{.service = order.service, .version = order.version, .what = "shift", .actor = actor};
  if (verdict.lowers) return changes_.publish_first(std::move(change), std::move(verdict.next), std::move(done));
  changes_.save_first(std::move(change), std::move(verdict.next), "shifted", std::move(done));
}

std::string Verbs::objection(const ShiftOrder& order) {
  const auto shares = shares_of(*settings_.service(order.service), live_.wanted());
  if (order.percent <= shares.of(order.version)) return {};
  return objection_to_shift(order, host_.report().views);
}

/// The version is deployed, but its rollout did not start: the deploy is reported here, unless the caller of the verb
/// will do it.
Reply Verbs::without_rollout(const json& args, const Reply& deployed, Reply started) {
  started.body = deployed.body;
  if (started.code == ExitCode::timeout) return started;
  if (auto event = verb_event(Verb::deploy, args, deployed)) host_.emit(std::move(*event));
  if (auto entry = audit_of(Verb::deploy, args, deployed)) host_.record(std::move(*entry));
  started.error = fmt::format("{} is deployed and has no users, but its rollout was not started: {}",
                              args.at("version").get<std::string>(), started.error);
  return started;
}

struct Verbs::Handlers {
  /// A caller that reads that a worker is up may send it a request immediately: so the answer waits until the routers
  /// know it.
  static void status(Verbs& verbs, const json&, Done done) {
    verbs.host_.settle([&verbs, done = std::move(done)](const std::string&) {
      done({ExitCode::ok, status_report(verbs.host_.report()), {}});
    });
  }
  /// Waits for the routers first, as a status does.
  static void health(Verbs& verbs, const json& args, Done done) {
    auto only = args.contains("service") && args["service"].is_string() ? args["service"].get<std::string>() : "";
    verbs.host_.settle(
        [&verbs, only = std::move(only), done = std::move(done)](const std::string&) { done(verbs.health_of(only)); });
  }
  static void why(Verbs& verbs, const json& args, Done done) {
    done(control::why(verbs.settings_, verbs.host_.routing_table(), args));
  }
  static void bucket(Verbs& verbs, const json& args, Done done) {
    done(control::bucket(verbs.settings_, verbs.live_.published(), verbs.host_.routing_table().number, args));
  }
  static void metrics(Verbs& verbs, const json&, Done done) {
    Reply reply = agreed();
    reply.body["text"] = metrics_text(verbs.host_.report());
    done(std::move(reply));
  }
  static void memory(Verbs& verbs, const json& args, Done done) {
    if (auto error = arguments_error(Verb::memory, args); !error.empty())
      return done(refusal(ExitCode::usage, std::move(error)));
    const std::string of = args.value("of", "router");
    if (of == "workers") return done({ExitCode::ok, worker_memory_report(verbs.host_.report()), {}});
    if (of != "router") return done(refusal(ExitCode::usage, "memory is of router or workers, not of \"" + of + "\""));
    verbs.host_.weigh([&verbs, done = std::move(done)](const std::vector<RouterMemory>& routers) {
      done(memory_report(routers, verbs.host_.report().rows));
    });
  }
  static void shift(Verbs& verbs, const json& args, Done done) {
    if (auto error = arguments_error(Verb::shift, args); !error.empty())
      return done(refusal(ExitCode::usage, std::move(error)));
    verbs.shift({args.at("service"), args.at("version"), args.at("percent"), args.value("yes", false)}, caller_of(args),
                std::move(done));
  }
  template <Action action>
  static void act_on_version(Verbs& verbs, const json& args, Done done) {
    verbs.versions_.call(action, args, std::move(done));
  }
  template <Verb verb>
  static void release(Verbs& verbs, const json& args, Done done) {
    verbs.releases_.call(verb, args, std::move(done));
  }
  /// With "rollout" the version gets users by steps once it is up.
  static void deploy(Verbs& verbs, const json& args, Done done) {
    if (auto error = arguments_error(Verb::deploy, args); !error.empty())
      return done(refusal(ExitCode::usage, std::move(error)));
    if (!args.value("rollout", false)) return verbs.releases_.call(Verb::deploy, args, std::move(done));
    const std::string service = args.at("service"), version = args.at("version");
    if (const auto* settings = verbs.settings_.service(service)) {
      auto room = judge_rollout_room(*settings, version, verbs.live_.wanted());
      if (room.code != ExitCode::ok) return done(std::move(room));
    }
    verbs.releases_.call(Verb::deploy, args, [&verbs, service, version, args, done = std::move(done)](Reply deployed) {
      if (deployed.code != ExitCode::ok) return done(std::move(deployed));
      verbs.rollouts_.start({service, version, {}, {}, {}}, caller_of(args),
                            [&verbs, args, deployed, done](Reply started) {
                              if (started.code == ExitCode::ok) return done(deployed);
                              done(verbs.without_rollout(args, deployed, std::move(started)));
                            });
    });
  }
  static void upgrade(Verbs& verbs, const json& args, Done done) { done(verbs.host_.upgrade(args)); }
  static void reload(Verbs& verbs, const json& args, Done done) {
    verbs.host_.reload(args, [&verbs, done = std::move(done)](const Reply& reply) {
      verbs.host_.settle([reply, done](const std::string&) { done(reply); });
    });
  }
};

Verbs::Handler Verbs::handler_of(Verb verb) {
  constexpr std::pair<Verb, Handler> kHandlers[] = {
      {Verb::status, &Handlers::status},
      {Verb::health, &Handlers::health},
      {Verb::metrics, &Handlers::metrics},
      {Verb::memory, &Handlers::memory},
      {Verb::why, &Handlers::why},
      {Verb::bucket, &Handlers::bucket},
      {Verb::shift, &Handlers::shift},
      {Verb::start, &Handlers::act_on_version<Action::start>},
      {Verb::restart, &Handlers::act_on_version<Action::restart>},
      {Verb::drain, &Handlers::act_on_version<Action::drain>},
      {Verb::stop, &Handlers::act_on_version<Action::stop>},
      {Verb::deploy, &Handlers::deploy},
      {Verb::promote, &Handlers::release<Verb::promote>},
      {Verb::undo, &Handlers::release<Verb::undo>},
      {Verb::rollout_undo, &Handlers::release<Verb::undo>},
      {Verb::remove, &Handlers::release<Verb::remove>},
      {Verb::upgrade, &Handlers::upgrade},
      {Verb::reload, &Handlers::reload},
  };
  const auto* found = std::ranges::find(kHandlers, verb, &std::pair<Verb, Handler>::first);
  return found == std::end(kHandlers) ? nullptr : found->second;
}

}  // namespace gray::control
