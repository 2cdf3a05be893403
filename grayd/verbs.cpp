#include "grayd/verbs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "grayd/metrics.hpp"
#include "grayd/serving.hpp"
#include "grayd/status_report.hpp"

namespace gray::master {
namespace {

using control::refusal;
using control::Reply;
using control::Verb;
using nlohmann::json;

Reply agreed() { return {ExitCode::ok, {{"schema_version", 1}}, {}}; }

Reply after_applied(const std::string& laggards) {
  if (laggards.empty()) return agreed();
  return refusal(ExitCode::timeout,
                 fmt::format("published, but not applied in time by {}; see grayctl status", laggards));
}

}  // namespace

Verbs::Verbs(Parts parts)
    : parts_(std::move(parts)),
      versions_({parts_.settings, parts_.live, [this](auto then) { persist(std::move(then)); }, parts_.carry_out,
                 parts_.report, parts_.stopping}) {}

Verbs::Handler Verbs::handler_of(Verb verb) {
  constexpr std::pair<Verb, Handler> kHandlers[] = {
      {Verb::status, &Verbs::status},
      {Verb::health, &Verbs::health},
      {Verb::metrics, &Verbs::metrics},
      {Verb::shift, &Verbs::shift},
      {Verb::start, &Verbs::order_version<Order::start>},
      {Verb::restart, &Verbs::order_version<Order::restart>},
      {Verb::drain, &Verbs::order_version<Order::drain>},
      {Verb::stop, &Verbs::order_version<Order::stop>},
      {Verb::upgrade, &Verbs::upgrade},
      {Verb::reload, &Verbs::reload},
  };
  const auto* found = std::ranges::find(kHandlers, verb, &std::pair<Verb, Handler>::first);
  return found == std::end(kHandlers) ? nullptr : found->second;
}

void Verbs::call(Verb verb, const json& args, Done done) {
  const auto handler = handler_of(verb);
  if (handler == nullptr) return done(refusal(ExitCode::usage, control::unknown_verb(control::name_of(verb))));
  if (auto why = changes(verb) ? unchangeable() : std::string(); !why.empty())
    return done(refusal(ExitCode::conflict, std::move(why)));
  (this->*handler)(args, std::move(done));
}

std::string Verbs::unchangeable() const {
  return parts_.stopping() ? "grayd is stopping; nothing can be changed any more" : parts_.locked();
}

/// Who reads that a worker is up may send it a request at once: what is told is what the routers know.
void Verbs::status(const json&, Done done) {
  parts_.settle([this, done = std::move(done)](const std::string&) {
    Reply reply;
    parts_.report([&](const ReportSource& source) { reply.body = status_report(source); });
    done(std::move(reply));
  });
}

void Verbs::metrics(const json&, Done done) {
  Reply reply = agreed();
  parts_.report([&](const ReportSource& source) { reply.body["text"] = metrics_text(source); });
  done(std::move(reply));
}

void Verbs::upgrade(const json& args, Done done) { done(parts_.upgrade(args)); }

void Verbs::reload(const json&, Done done) {
  parts_.settle([reply = parts_.reload(), done = std::move(done)](const std::string&) { done(reply); });
}

/// Settled first, as a status.
void Verbs::health(const json& args, Done done) {
  auto only = args.contains("service") && args["service"].is_string() ? args["service"].get<std::string>() : "";
  parts_.settle([this, only = std::move(only), done = std::move(done)](const std::string&) { done(health_of(only)); });
}

Reply Verbs::health_of(const std::string& only) const {
  if (!only.empty() && parts_.settings.service(only) == nullptr) {
    return refusal(ExitCode::usage, unknown_service(parts_.settings, only));
  }
  std::string complaints;
  parts_.report([&](const ReportSource& source) {
    if (source.phase != "serving") complaints = "grayd is " + source.phase;
    for (const auto& service : source.settings.services) {
      if (!only.empty() && service.name != only) continue;
      const auto complaint = health_complaint(service, source.state, source.views);
      if (!complaint.empty()) complaints += (complaints.empty() ? "" : "; ") + complaint;
    }
  });
  if (!complaints.empty()) return refusal(ExitCode::failed, complaints);
  auto reply = agreed();
  reply.body["healthy"] = true;
  return reply;
}

void Verbs::shift(const json& args, Done done) {
  if (auto error = control::arguments_error(Verb::shift, args); !error.empty())
    return done(refusal(ExitCode::usage, std::move(error)));
  shift(args.at("service"), args.at("version"), args.at("percent"), std::move(done));
}

void Verbs::shift(const std::string& service, const std::string& version, double percent, Done done) {
  if (auto why = unchangeable(); !why.empty()) return done(refusal(ExitCode::conflict, std::move(why)));
  auto verdict = judge_shift(parts_.settings, parts_.live.published(), parts_.live.wanted(), service, version, percent);
  if (verdict.code != ExitCode::ok) return done(refusal(verdict.code, std::move(verdict.error)));
  const auto ticket = parts_.live.want(service, std::move(verdict.next));
  if (verdict.lowers) return lower(service, ticket, std::move(done));
  raise(service, ticket, std::move(done));
}

/// Published first: no disk may delay an abort. The answer waits for both.
void Verbs::lower(const std::string& service, LiveState::Ticket ticket, Done done) {
  parts_.live.publish(service, ticket);
  parts_.publish([this, done = std::move(done)](const std::string& laggards) {
    persist([done, laggards](const std::string& error) {
      if (error.empty()) return done(after_applied(laggards));
      done(refusal(ExitCode::failed, fmt::format("the routers have applied it, but {}", error)));
    });
  });
}

/// Persisted first: what users were promised must not be forgotten by a crash.
void Verbs::raise(const std::string& service, LiveState::Ticket ticket, Done done) {
  persist([this, service, ticket, done = std::move(done)](const std::string& error) {
    if (!error.empty()) {
      parts_.live.withdraw(service, ticket);
      return done(refusal(ExitCode::failed, fmt::format("nothing was shifted: {}", error)));
    }
    if (!parts_.live.publish(service, ticket)) {
      return done(
          refusal(ExitCode::conflict, "a later shift of " + service + " was applied first; see grayctl status"));
    }
    parts_.publish([done](const std::string& laggards) { done(after_applied(laggards)); });
  });
}

void Verbs::persist(std::function<void(std::string)> then) {
  parts_.store.save(parts_.live.wanted(), [&io = parts_.io, then = std::move(then)](std::string error) {
    asio::post(io, [then, error = std::move(error)] { then(error); });
  });
}

}  // namespace gray::master
