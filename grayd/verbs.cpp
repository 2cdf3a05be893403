#include "grayd/verbs.hpp"

#include <fmt/core.h>

#include <asio/post.hpp>
#include <optional>

#include "grayd/metrics.hpp"
#include "grayd/serving.hpp"
#include "grayd/status_report.hpp"

namespace gray::master {
namespace {

using control::Reply;
using nlohmann::json;

Reply refusal(ExitCode code, std::string error) { return {code, {}, std::move(error)}; }

Reply agreed() { return {ExitCode::ok, {{"schema_version", 1}}, {}}; }

struct ShiftArguments {
  std::string service, version;
  double percent;
};

std::optional<ShiftArguments> shift_arguments(const json& args) {
  const auto service = args.find("service"), version = args.find("version"), percent = args.find("percent");
  if (service == args.end() || version == args.end() || percent == args.end()) return std::nullopt;
  if (!service->is_string() || !version->is_string() || !percent->is_number()) return std::nullopt;
  return ShiftArguments{*service, *version, *percent};
}

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

bool Verbs::changes(const std::string& verb) {
  return verb == "shift" || verb == "reload" || verb == "upgrade" || order_named(verb);
}

void Verbs::call(const std::string& verb, const json& args, Done done) {
  // Who reads that a worker is up may send it a request at once: what is told is what the routers know.
  if (verb == "status") return parts_.settle([this, done](const std::string&) { done(status()); });
  if (verb == "health") return parts_.settle([this, args, done](const std::string&) { done(health(args)); });
  if (verb == "metrics") return done(metrics());
  if (!changes(verb)) {
    return done(refusal(ExitCode::usage, fmt::format("grayd knows no verb \"{}\"; see grayctl --help", verb)));
  }
  if (parts_.stopping()) return done(refusal(ExitCode::conflict, "grayd is stopping; nothing can be changed any more"));
  if (auto why = parts_.locked(); !why.empty()) return done(refusal(ExitCode::conflict, std::move(why)));
  if (const auto order = order_named(verb)) return versions_.call(*order, args, std::move(done));
  if (verb == "shift") return shift(args, std::move(done));
  if (verb == "upgrade") return done(parts_.upgrade(args));
  parts_.settle([reply = parts_.reload(), done](const std::string&) { done(reply); });
}

Reply Verbs::status() const {
  Reply reply;
  parts_.report([&](const ReportSource& source) { reply.body = status_report(source); });
  return reply;
}

Reply Verbs::metrics() const {
  Reply reply = agreed();
  parts_.report([&](const ReportSource& source) { reply.body["text"] = metrics_text(source); });
  return reply;
}

Reply Verbs::health(const json& args) const {
  const auto only = args.contains("service") && args["service"].is_string() ? args["service"].get<std::string>() : "";
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
  const auto wish = shift_arguments(args);
  if (!wish) return done(refusal(ExitCode::usage, "shift needs service, version (strings) and percent (a number)"));
  auto verdict = judge_shift(parts_.settings, parts_.live.published(), parts_.live.wanted(), wish->service,
                             wish->version, wish->percent);
  if (verdict.code != ExitCode::ok) return done(refusal(verdict.code, std::move(verdict.error)));
  const auto ticket = parts_.live.want(wish->service, std::move(verdict.next));
  if (verdict.lowers) return lower(wish->service, ticket, std::move(done));
  raise(wish->service, ticket, std::move(done));
}

/// Published first: no disk may delay an abort. The answer waits for both.
void Verbs::lower(const std::string& service, LiveState::Ticket ticket, Done done) {
  parts_.live.publish(service, ticket);
  parts_.publish([this, done = std::move(done)](const std::string& laggards) {
    persist([done, laggards](const std::string& error) {
      if (error.empty()) return done(after_applied(laggards));
      done(refusal(ExitCode::failed, fmt::format("the routers have it, but {}", error)));
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
      return done(refusal(ExitCode::conflict, "a later shift of " + service + " came first; see grayctl status"));
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
