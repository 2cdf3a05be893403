#include "control/commands/release_verbs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "config/base/log.hpp"
#include "control/commands/verb_event.hpp"
#include "control/release/formers.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

Reply reply_about(Verb verb, const std::string& service, const std::string& version) {
  return {
      ExitCode::ok, {{"schema_version", 1}, {"verb", name_of(verb)}, {"service", service}, {"version", version}}, {}};
}

Reply refusal_of(ReleaseVerdict verdict) {
  auto reply = refusal(verdict.code, std::move(verdict.error));
  if (!verdict.confirm.empty()) reply.body = {{"confirm", std::move(verdict.confirm)}};
  return reply;
}

std::map<std::string, std::string> env_in(const json& args) {
  const auto found = args.find("env");
  return found == args.end() ? std::map<std::string, std::string>{} : found->get<std::map<std::string, std::string>>();
}

EventRecord event_of(EventKind kind, const std::string& service, const std::string& version, std::string cause,
                     std::string text) {
  EventRecord event;
  event.kind = kind;
  event.service = service;
  event.version = version;
  event.cause = std::move(cause);
  event.text = std::move(text);
  return event;
}

EventRecord event_of(const Chore& chore, bool deployed) {
  const auto event = [&](EventKind kind, const char* cause, const char* text) {
    return event_of(kind, chore.service, chore.version, cause, text);
  };
  if (chore.kind == Chore::Kind::cool)
    return event(EventKind::command, "drain", "was stable long enough ago (warm): drained, and kept for undo");
  if (chore.kind == Chore::Kind::discard)
    return event(EventKind::removed, "aborted", "its rollout was aborted long enough ago (warm): drained and removed");
  return deployed ? event(EventKind::removed, "keep", "is not kept for undo any longer (keep): drained and removed")
                  : event(EventKind::command, "drain", "is not kept for undo any longer (keep): drained");
}

}  // namespace

bool ReleaseVerbs::knows(Verb verb) {
  return verb == Verb::deploy || verb == Verb::promote || verb == Verb::undo || verb == Verb::remove;
}

void ReleaseVerbs::call(Verb verb, const json& args, Done done) {
  if (auto error = arguments_error(verb, args); !error.empty()) return done(refusal(ExitCode::usage, std::move(error)));
  if (auto why = busy(args.at("service")); !why.empty()) return done(refusal(ExitCode::conflict, std::move(why)));
  switch (verb) {
    case Verb::deploy: return deploy(args, std::move(done));
    case Verb::promote:
      return promote({args.at("service"), args.at("version"), args.value("yes", false)}, caller_of(args),
                     std::move(done));
    case Verb::undo: return undo(args, std::move(done));
    default: return remove(args, std::move(done));
  }
}

std::string ReleaseVerbs::busy(const std::string& service) const {
  const auto found = busy_.find(service);
  if (found == busy_.end()) return {};
  return fmt::format("{} is in progress; see grayctl status {}", found->second, service);
}

void ReleaseVerbs::deploy(const json& args, Done done) {
  const DeployOrder order{args.at("service"), args.at("version"), env_in(args)};
  if (!order.env.empty() && !host_.may_run_programs(args))
    return done(
        refusal(ExitCode::denied,
                fmt::format("only root and the user of grayd may set variables, which can make a worker run any "
                            "program; add them to [service.{}.release]",
                            order.service)));
  VersionSettings settings;
  auto verdict = judge_deploy(settings_, live_.wanted(), host_.report().views, order, settings);
  if (verdict.code != ExitCode::ok) return done(refusal_of(std::move(verdict)));
  if (auto fault = host_.objection_to_start(order.service, settings); !fault.empty())
    return done(refusal(ExitCode::bad_config, "nothing was started: " + fault));
  live_.change(order.service, [&](ServiceState& state) {
    state.deployed[order.version] = {settings, wall_now(), false};
    state.stopped.erase(order.version);
    state.weights.erase(order.version);
    state.salts.erase(order.version);
    state.withdrawn.erase(order.version);
  });
  host_.deployed_changed();
  busy_[order.service] = fmt::format("a deploy of {} ({})", order.version, requested_by(args));
  const Author by{caller_of(args), fmt::format("deploy {} {}", order.service, order.version)};
  host_.persist(by, [this, order, done = std::move(done)](const SaveEnd& end) {
    busy_.erase(order.service);
    if (end.code == ExitCode::ok) return start_deployed(order, done);
    live_.change(order.service, [&](ServiceState& state) { state.deployed.erase(order.version); });
    host_.deployed_changed();
    done(refusal(end.code, "nothing was started: " + end.error));
  });
}

void ReleaseVerbs::start_deployed(const DeployOrder& order, Done done) {
  if (host_.stopping())
    return done(refusal(ExitCode::conflict, "grayd is stopping; the version is started with grayd the next time"));
  const auto* service = settings_.service(order.service);
  const auto* version = service == nullptr ? nullptr : service->version(order.version);
  if (version == nullptr)
    return done(refusal(ExitCode::conflict, fmt::format("a reload removed {} {} meanwhile; nothing was started",
                                                        order.service, order.version)));
  host_.carry_out({Action::start, order.service, order.version, false});
  auto reply = reply_about(Verb::deploy, order.service, order.version);
  reply.body["cwd"] = version->cwd;
  reply.body["command"] = version->command;
  done(std::move(reply));
}

void ReleaseVerbs::promote(const PromoteOrder& order, const std::string& actor, Done done) {
  if (auto why = busy(order.service); !why.empty()) return done(refusal(ExitCode::conflict, std::move(why)));
  auto verdict = judge_promote(settings_, live_.wanted(), host_.report().views, order);
  if (verdict.code != ExitCode::ok) return done(refusal_of(std::move(verdict)));
  const auto& service = *settings_.service(order.service);
  auto reply = reply_about(Verb::promote, order.service, order.version);
  reply.body["from"] = shares_of(service, live_.wanted()).stable;
  busy_[order.service] = fmt::format("a promotion of {} (requested by {})", order.version, actor);
  AuditEntry change{.service = order.service, .version = order.version, .what = "promote", .actor = actor};
  changes_.save_first(std::move(change), make_stable(service, live_.wanted(), order.version, wall_now()), "promoted",
                      [this, order, reply = std::move(reply), done = std::move(done)](const Reply& changed) {
                        promoted(order, changed, reply, done);
                      });
}

/// A shift that was given meanwhile includes the promotion, and may have published it.
void ReleaseVerbs::promoted(const PromoteOrder& order, const Reply& changed, const Reply& reply, const Done& done) {
  busy_.erase(order.service);
  const bool shifted =
      changed.code == ExitCode::conflict && fact_of(live_.published(), order.service).stable == order.version;
  if (!shifted) return done(changed.code == ExitCode::ok ? reply : changed);
  host_.publish([reply, done](const std::string& laggards) {
    done(laggards.empty() ? reply : refusal(ExitCode::timeout, "published, but not applied in time by " + laggards));
  });
}

void ReleaseVerbs::undo(const json& args, Done done) {
  const UndoOrder order{args.at("service"), args.value("to", std::string())};
  const auto limit = args.find("undo_timeout_ms");
  const Duration timeout = limit == args.end() ? kUndoTimeout : Duration(limit->get<Duration::rep>());
  std::string target;
  auto verdict = judge_undo(settings_, live_.wanted(), order, target);
  if (verdict.code != ExitCode::ok) return done(refusal_of(std::move(verdict)));
  const auto views = host_.report().views;
  const auto actor = caller_of(args);
  if (!is_up(view_of(views, order.service, target)))
    return start_for_undo(order, target, timeout, actor, std::move(done));
  go_back(order.service, target, actor, std::move(done));
}

/// Its stop stays in the state until it serves, so that nothing has to be taken back if it cannot start.
void ReleaseVerbs::start_for_undo(const UndoOrder& order, const std::string& target, Duration timeout,
                                  const std::string& actor, Done done) {
  const auto& version = *settings_.service(order.service)->version(target);
  if (auto fault = host_.objection_to_start(order.service, version); !fault.empty())
    return done(refusal(ExitCode::failed, "nothing was changed: " + fault));
  host_.carry_out({Action::start, order.service, target, false});
  pending_[order.service] = {target, Clock::now() + timeout, actor};
  busy_[order.service] = fmt::format("an undo to {} (requested by {})", target, actor);
  auto& view = undos_[order.service];
  view = {view.number + 1, target, UpgradeState::running, "starting " + target, ExitCode::ok};
  auto reply = reply_about(Verb::undo, order.service, target);
  reply.body["undo"] = {{"number", view.number}};
  host_.upkeep_soon();
  done(std::move(reply));
}

/// Published first: the disk must not delay it.
void ReleaseVerbs::go_back(const std::string& service, const std::string& target, const std::string& actor, Done done) {
  const auto& settings = *settings_.service(service);
  const auto from = shares_of(settings, live_.published()).stable;
  busy_[service] = fmt::format("an undo to {} (requested by {})", target, actor);
  auto next = gone_back(settings, live_.wanted(), target, wall_now());
  if (const auto* rollout = running_rollout(next)) {
    host_.emit(event_of(EventKind::rollout, service, rollout->version, name_of(RolloutState::aborted),
                        fmt::format("aborted: undo to {} (requested by {})", target, actor)));
    abort_rollout(next, actor, wall_now());
  }
  AuditEntry change{.service = service, .version = target, .what = "undo", .actor = actor};
  changes_.publish_first(
      std::move(change), std::move(next),
      [this, service, target, from, actor, done = std::move(done)](const Reply& changed) {
        busy_.erase(service);
        host_.emit(event_of(EventKind::undone, service, target, {},
                            fmt::format("serves all users again instead of {} (requested by {})", from, actor)));
        if (changed.code != ExitCode::ok) return done(changed);
        auto reply = reply_about(Verb::undo, service, target);
        reply.body["from"] = from;
        done(std::move(reply));
      });
}

void ReleaseVerbs::remove(const json& args, Done done) {
  const RemoveOrder order{args.at("service"), args.at("version")};
  auto verdict = judge_remove(settings_, live_.wanted(), order);
  if (verdict.code != ExitCode::ok) return done(refusal_of(std::move(verdict)));
  live_.change(order.service, [&](ServiceState& state) { mark_removed(state, order.version); });
  host_.carry_out({Action::drain, order.service, order.version, false});
  const Author by{caller_of(args), fmt::format("remove {} {}", order.service, order.version)};
  host_.persist(by, [this, order, done = std::move(done)](const SaveEnd& end) {
    host_.upkeep_soon();
    if (end.code == ExitCode::ok) return done(removal(order));
    done(refusal(end.code, fmt::format("{} {} is being removed, but {}", order.service, order.version, end.error)));
  });
}

Reply ReleaseVerbs::removal(const RemoveOrder& order) const {
  auto reply = reply_about(Verb::remove, order.service, order.version);
  const auto* service = settings_.service(order.service);
  const auto target = service == nullptr ? std::string() : undo_target(*service, live_.wanted());
  reply.body["undo_to"] = target.empty() ? json() : json(target);
  return reply;
}

bool ReleaseVerbs::attentive() const {
  if (!pending_.empty()) return true;
  return std::ranges::any_of(live_.published(), [](const auto& entry) {
    return !entry.second.formers.empty() || !entry.second.aborted.empty() ||
           std::ranges::any_of(entry.second.deployed, [](const auto& one) { return one.second.removing; });
  });
}

std::string ReleaseVerbs::under_way() const {
  return pending_.empty() ? std::string() : busy_.at(pending_.begin()->first);
}

std::optional<Duration> ReleaseVerbs::advance(WallTime wall, TimePoint now) {
  if (host_.stopping() || !attentive()) return std::nullopt;
  const auto undo = advance_undos(now);  // also while grayd is replaced: that waits for changes in progress
  if (!host_.locked().empty()) return std::min(undo.value_or(kRetry), kRetry);
  const auto work = upkeep(settings_, live_.published(), host_.report().views, wall);
  perform(work.chores);
  if (!undo || !work.next) return undo ? undo : work.next;
  return std::min(*undo, *work.next);
}

std::optional<Duration> ReleaseVerbs::advance_undos(TimePoint now) {
  std::optional<Duration> next;
  for (const auto& [name, one] : std::map(pending_)) {
    if (one.published) continue;
    const auto* service = settings_.service(name);
    const auto* version = service == nullptr ? nullptr : service->version(one.target);
    if (version == nullptr) {
      undo_ended(name, refusal(ExitCode::conflict, one.target + " was removed by a reload meanwhile"));
      continue;
    }
    const auto views = host_.report().views;
    const auto* view = view_of(views, name, one.target);
    if (is_fully_up(view, *version)) {
      pending_[name].published = true;
      go_back(name, one.target, one.actor, [this, name = name](const Reply& reply) { undo_ended(name, reply); });
    } else if (view == nullptr || view->state == VersionState::stopped || view->state == VersionState::draining) {
      undo_ended(name, refusal(ExitCode::conflict, one.target + " was stopped meanwhile; nothing was changed"));
    } else if (view->state == VersionState::failed) {
      undo_ended(name, refusal(ExitCode::failed, fmt::format("{} {} could not be started; nothing was changed; {}",
                                                             name, one.target, view->cause)));
    } else if (now >= one.until) {
      if (is_stopped(live_.published(), name, one.target)) host_.carry_out({Action::drain, name, one.target, false});
      undo_ended(name, refusal(ExitCode::timeout, fmt::format("{} {} was not up in time; nothing was changed; {}", name,
                                                              one.target, view->cause)));
    } else {
      const auto left = std::chrono::ceil<Duration>(one.until - now);
      next = next ? std::min(*next, left) : left;
    }
  }
  return next;
}

void ReleaseVerbs::undo_ended(const std::string& service, const Reply& reply) {
  const bool good = reply.code == ExitCode::ok;
  auto& view = undos_[service];
  view.state = good ? UpgradeState::done : UpgradeState::failed;
  view.code = reply.code;
  view.text = good ? fmt::format("{}: all users get {} again", service, view.to) : reply.error;
  pending_.erase(service);
  busy_.erase(service);
}

void ReleaseVerbs::perform(const std::vector<Chore>& chores) {
  for (const Chore& chore : chores) {
    const auto* service = settings_.service(chore.service);
    const auto* version = service == nullptr ? nullptr : service->version(chore.version);
    const bool deployed = version != nullptr && version->deployed;
    live_.change(chore.service, [&](ServiceState& state) { apply(state, chore, deployed); });
    if (chore.kind == Chore::Kind::forget) {
      host_.forget(chore.service, chore.version);
    } else {
      host_.carry_out({Action::drain, chore.service, chore.version, false});
      auto event = event_of(chore, deployed);
      host_.record({.service = chore.service,
                    .version = chore.version,
                    .what = event.kind == EventKind::removed ? "remove" : "drain",
                    .actor = "grayd",
                    .reason = event.text});
      host_.emit(std::move(event));
    }
  }
  if (chores.empty()) return;
  host_.deployed_changed();
  host_.persist({"grayd", "the upkeep of former and removed versions"}, [](const SaveEnd& end) {
    if (end.code != ExitCode::ok) log(LogLevel::error, end.error);
  });
  host_.upkeep_soon();
}

}  // namespace gray::control
