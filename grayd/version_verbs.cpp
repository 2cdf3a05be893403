#include "grayd/version_verbs.hpp"

#include <fmt/core.h>

#include "grayd/weights.hpp"

namespace gray::master {
namespace {

using control::refusal;
using control::Reply;
using nlohmann::json;

}  // namespace

void VersionVerbs::call(Order order, const json& args, Done done) {
  if (auto error = control::arguments_error(verb_of(order), args); !error.empty())
    return done(refusal(ExitCode::usage, std::move(error)));
  const Ordered ordered{order, args.at("service"), args.at("version"), args.value("yes", false)};
  OrderVerdict verdict;
  parts_.report([&](const ReportSource& source) {
    verdict = judge_order(ordered, parts_.settings, parts_.live.wanted(), source.views);
  });
  if (verdict.code != ExitCode::ok) {
    auto refused = refusal(verdict.code, std::move(verdict.error));
    if (!verdict.confirm.empty()) refused.body = {{"confirm", std::move(verdict.confirm)}};
    return done(std::move(refused));
  }
  switch (order) {
    case Order::start: return start(ordered, std::move(done));
    case Order::restart: return done(begun(ordered, parts_.carry_out(ordered)));
    case Order::stop:
    case Order::drain: return end(ordered, std::move(done));
  }
}

void VersionVerbs::start(const Ordered& ordered, Done done) {
  const bool was_stopped = is_stopped(parts_.live.wanted(), ordered.service, ordered.version);
  parts_.live.set_stopped(ordered.service, ordered.version, false);
  parts_.persist([this, ordered, was_stopped, done = std::move(done)](const std::string& error) {
    if (!error.empty()) {
      parts_.live.set_stopped(ordered.service, ordered.version, was_stopped);
      return done(refusal(ExitCode::failed, "nothing was started: " + error));
    }
    if (parts_.stopping()) return done(refusal(ExitCode::conflict, "grayd is stopping; nothing was started"));
    const auto* service = parts_.settings.service(ordered.service);
    if (service == nullptr || service->version(ordered.version) == nullptr) {
      return done(refusal(ExitCode::conflict, fmt::format("a reload removed {} {} meanwhile; nothing was started",
                                                          ordered.service, ordered.version)));
    }
    parts_.carry_out(ordered);
    done(begun(ordered, 0));
  });
}

void VersionVerbs::end(const Ordered& ordered, Done done) {
  parts_.live.set_stopped(ordered.service, ordered.version, true);
  parts_.carry_out(ordered);
  parts_.persist([this, ordered, done = std::move(done)](const std::string& error) {
    if (error.empty()) return done(begun(ordered, 0));
    done(refusal(ExitCode::failed, fmt::format("{} {} ends, but {}", ordered.service, ordered.version, error)));
  });
}

Reply VersionVerbs::begun(const Ordered& ordered, unsigned restart) const {
  Reply reply;
  reply.body = {
      {"schema_version", 1}, {"verb", name(ordered.order)}, {"service", ordered.service}, {"version", ordered.version}};
  if (restart != 0) reply.body["restart"] = {{"number", restart}};
  return reply;
}

}  // namespace gray::master
