#include "control/live/figures_json.hpp"

#include <cmath>
#include <utility>

#include "control/live/json_read.hpp"

namespace gray::control {
namespace {

using namespace json_read;
using nlohmann::json;

/// Tenths: sixty rates of each version are most of the text.
json rates_json(const std::vector<double>& rates) {
  json array = json::array();
  for (const double rate : rates) {
    const double tenths = std::round(rate * 10) / 10;
    tenths == std::round(tenths) ? array.push_back(static_cast<std::int64_t>(tenths)) : array.push_back(tenths);
  }
  return array;
}

json version_figures_json(const VersionFigures& its) {
  return {{"service", its.service},
          {"version", its.name},
          {"stable", its.stable},
          {"weight", its.weight},
          {"state", its.state},
          {"up", its.up},
          {"instances", its.instances},
          {"requests_per_second", its.rate},
          {"error_ratio", its.error_ratio},
          {"p50_ms", its.p50_ms},
          {"p99_ms", its.p99_ms},
          {"sockets", its.sockets},
          {"waiting", its.waiting},
          {"memory_bytes", static_cast<std::uint64_t>(its.memory)},
          {"verdict", its.verdict},
          {"bad", !its.bad.empty()},
          {"reason", its.bad},
          {"cause", its.cause},
          {"verdict_text", its.why},
          {"minute_requests_per_second", its.minute_rate},
          {"minute_error_ratio", its.minute_error_ratio},
          {"seconds", rates_json(its.seconds)}};
}

VersionFigures version_figures_in(const json& object) {
  VersionFigures its{.service = word(object, "service"),
                     .name = word(object, "version"),
                     .state = word(object, "state"),
                     .cause = word(object, "cause"),
                     .stable = flag(object, "stable"),
                     .weight = figure(object, "weight"),
                     .up = whole(object, "up"),
                     .instances = whole(object, "instances"),
                     .rate = figure(object, "requests_per_second"),
                     .error_ratio = figure(object, "error_ratio"),
                     .minute_rate = figure(object, "minute_requests_per_second"),
                     .minute_error_ratio = figure(object, "minute_error_ratio"),
                     .p50_ms = figure(object, "p50_ms"),
                     .p99_ms = figure(object, "p99_ms"),
                     .sockets = whole(object, "sockets"),
                     .waiting = whole(object, "waiting"),
                     .memory = figure(object, "memory_bytes"),
                     .verdict = word(object, "verdict"),
                     .why = word(object, "verdict_text"),
                     .seconds = {},
                     .bad = word(object, "reason")};
  for (const json& rate : parts(object, "seconds")) its.seconds.push_back(rate.is_number() ? rate.get<double>() : -1);
  return its;
}

json rollout_figures_json(const std::optional<RolloutFigures>& rollout) {
  if (!rollout) return nullptr;
  return {{"version", rollout->version}, {"state", rollout->state}, {"reason", rollout->reason},
          {"step", rollout->step},       {"steps", rollout->steps}, {"weight", rollout->weight},
          {"hold_s", rollout->hold_s}};
}

std::optional<RolloutFigures> rollout_figures_in(const json& object) {
  if (!object.is_object()) return std::nullopt;
  return RolloutFigures{.version = word(object, "version"),
                        .state = word(object, "state"),
                        .reason = word(object, "reason"),
                        .step = whole(object, "step"),
                        .steps = whole(object, "steps"),
                        .weight = figure(object, "weight"),
                        .hold_s = figure(object, "hold_s")};
}

json service_figures_json(const ServiceFigures& its) {
  return {{"service", its.name},        {"stable", its.stable},
          {"undo_to", its.undo_to},     {"canary", its.canary},
          {"way_back", its.way_back()}, {"rollout", rollout_figures_json(its.rollout)},
          {"event", its.event},         {"line", its.line}};
}

}  // namespace

json figures_json(const TopView& view, const std::string& time) {
  json versions = json::array(), services = json::array();
  for (const VersionFigures& its : view.versions) versions.push_back(version_figures_json(its));
  for (const ServiceFigures& its : view.services) services.push_back(service_figures_json(its));
  return {{"schema_version", 1}, {"time", time},      {"versions", std::move(versions)}, {"daemon", view.daemon},
          {"event", view.event}, {"line", view.line}, {"services", std::move(services)}};
}

TopView figures_in(const json& figures) {
  TopView view{.daemon = word(figures, "daemon"),
               .trouble = {},
               .versions = {},
               .services = {},
               .event = word(figures, "event"),
               .line = word(figures, "line")};
  for (const json& version : parts(figures, "versions")) view.versions.push_back(version_figures_in(version));
  for (const json& service : parts(figures, "services"))
    view.services.push_back({.name = word(service, "service"),
                             .stable = word(service, "stable"),
                             .undo_to = word(service, "undo_to"),
                             .canary = word(service, "canary"),
                             .rollout = rollout_figures_in(part(service, "rollout")),
                             .event = word(service, "event"),
                             .line = word(service, "line")});
  return view;
}

}  // namespace gray::control
