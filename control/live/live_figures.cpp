#include "control/live/live_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "control/live/bad_event.hpp"
#include "control/live/figures.hpp"
#include "control/live/json_read.hpp"

namespace gray::control {
namespace {

using namespace json_read;
using nlohmann::json;

constexpr double kBadRatio = 0.01;
constexpr std::size_t kRolloutsAtOnce = 4;

/// "12:30:05" of a time in an answer.
std::string clock_time(const json& object) {
  const std::string time = word(object, "time");
  return time.size() > 19 ? time.substr(11, 8) : time;
}

/// The state of a worker that grayd does not count as up although it should be; empty: there is none.
std::string ailing_worker(const json& version) {
  for (const json& worker : parts(version, "workers")) {
    const auto state = word(worker, "state");
    if (state == "unhealthy" || state == "backoff" || state == "failed") return word(worker, "id") + " is " + state;
  }
  return {};
}

std::string reason_to_be_bad(const VersionFigures& its, const json& version, bool has_recent) {
  if (its.state == "failed") return "failed" + (its.cause.empty() ? "" : ": " + its.cause);
  const auto percent = [](double ratio) { return short_number(100 * ratio); };
  std::string text;
  if (has_recent && its.error_ratio >= kBadRatio)
    text = fmt::format("{}% of the requests of the last 10 s failed", percent(its.error_ratio));
  else if (its.minute_error_ratio >= kBadRatio)
    text = fmt::format("{}% of the requests of the last minute failed", percent(its.minute_error_ratio));
  const auto add = [&text](const std::string& more) { text += (text.empty() || more.empty() ? "" : "; ") + more; };
  if (its.verdict == "worse") add("worse than stable");
  add(ailing_worker(version));
  return text;
}

/// "web@v2#0", "web v2", "web"; empty: about grayd.
std::string subject_of(const json& entry) {
  if (const auto worker = word(entry, "worker"); !worker.empty()) return worker;
  const auto service = word(entry, "service"), version = word(entry, "version");
  return version.empty() ? service : service + " " + version;
}

}  // namespace

std::string ServiceFigures::way_back() const {
  if (rollout && !rollout->over()) return "grayctl rollout abort " + name;
  if (!canary.empty()) return fmt::format("grayctl shift {} {} 0", name, canary);
  return undo_to.empty() ? "" : "grayctl undo " + name;
}

VersionFigures LiveFigures::figures_of(const json& service, const json& version, TimePoint now) {
  VersionFigures its{.service = word(service, "name"),
                     .name = word(version, "name"),
                     .state = word(version, "state"),
                     .cause = word(version, "cause")};
  its.stable = its.name == word(service, "stable");
  its.weight = figure(version, "weight");
  for (const json& worker : parts(version, "workers")) {
    const auto state = word(worker, "state");
    its.up += state == "ready" || state == "healthy" ? 1 : 0;
    its.memory += std::max(figure(worker, "memory_bytes"), figure(worker, "rss_bytes"));
  }
  its.instances = std::max<std::size_t>(whole(version, "instances"), its.up);
  its.sockets = whole(version, "sockets");
  its.waiting = whole(part(version, "queue"), "waiting");
  its.verdict = word(version, "verdict");
  its.why = word(version, "verdict_text");
  const json& minute = part(version, "last_minute");
  its.minute_rate = figure(minute, "requests_per_second");
  its.minute_error_ratio = figure(minute, "error_ratio");
  its.p50_ms = figure(minute, "p50_ms");
  its.p99_ms = figure(minute, "p99_ms");
  RateHistory& history = histories_[{its.service, its.name}];
  history.read(now, whole(version, "requests"), whole(version, "errors"));
  const auto recent = history.recent(now);
  its.rate = recent ? recent->requests_per_second : its.minute_rate;
  its.error_ratio = recent ? recent->error_ratio : its.minute_error_ratio;
  its.seconds = history.seconds(now);
  its.bad = reason_to_be_bad(its, version, recent.has_value());
  return its;
}

void LiveFigures::take_status(const json& status, TimePoint now) {
  view_.daemon = fmt::format("grayd {}, pid {}, up {}", word(status, "version"), whole(status, "pid"),
                             elapsed(figure(status, "uptime_s")));
  view_.versions.clear();
  view_.services.clear();
  std::set<Name> living;
  for (const json& service : parts(status, "services")) {
    ServiceFigures its{.name = word(service, "name"),
                       .stable = word(service, "stable"),
                       .undo_to = word(service, "undo_to"),
                       .canary = {},
                       .rollout = {},
                       .event = {},
                       .line = {}};
    for (const json& version : parts(service, "versions")) {
      view_.versions.push_back(figures_of(service, version, now));
      const VersionFigures& last = view_.versions.back();
      living.insert({last.service, last.name});
      if (!last.stable && last.weight > 0) its.canary = last.name;
    }
    view_.services.push_back(std::move(its));
  }
  std::erase_if(histories_, [&](const auto& entry) { return !living.contains(entry.first); });
  std::set<std::string> services;
  for (const ServiceFigures& service : view_.services) services.insert(service.name);
  std::erase_if(newest_, [&](const auto& entry) { return !services.contains(entry.first); });
  std::erase_if(rollouts_, [&](const auto& entry) { return !services.contains(entry.first); });
}

void LiveFigures::take_events(const json& answer) {
  for (const json& event : parts(answer, "events")) {
    if (!is_bad_event(word(event, "kind")) || word(event, "cause") == "exit 0") continue;
    view_.event =
        fmt::format("{} {} {}: {}", clock_time(event), word(event, "kind"), subject_of(event), word(event, "text"));
    newest_[word(event, "service")].event = view_.event;
  }
  last_event_ = std::max(last_event_, whole(answer, "last"));
}

void LiveFigures::take_lines(const json& answer) {
  for (const json& line : parts(answer, "lines")) {
    if (word(line, "stream") != "stderr") continue;
    view_.line = fmt::format("{} {}: {}", clock_time(line), subject_of(line), word(line, "text"));
    newest_[word(line, "service")].line = view_.line;
  }
  last_line_ = std::max(last_line_, whole(answer, "last"));
}

void LiveFigures::take_rollout(const std::string& service, const std::optional<json>& answer) {
  if (!answer) {
    rollouts_.erase(service);
    return;
  }
  rollouts_[service] = {.version = word(*answer, "version"),
                        .state = word(*answer, "state"),
                        .reason = word(*answer, "reason"),
                        .step = whole(*answer, "step"),
                        .steps = parts(*answer, "steps").size(),
                        .weight = figure(*answer, "weight"),
                        .hold_s = figure(*answer, "hold_s")};
}

std::vector<std::string> LiveFigures::next_rollouts() {
  std::vector<std::string> next, others;
  for (const ServiceFigures& service : view_.services) {
    const auto known = rollouts_.find(service.name);
    const bool runs = known != rollouts_.end() && !known->second.over();
    (runs || !service.canary.empty() ? next : others).push_back(service.name);
  }
  ++turn_;
  if (next.size() >= kRolloutsAtOnce) {
    std::ranges::rotate(next, next.begin() + static_cast<std::ptrdiff_t>(turn_ % next.size()));
    next.resize(kRolloutsAtOnce - 1);
  }
  if (!others.empty()) next.push_back(others[turn_ % others.size()]);
  return next;
}

TopView LiveFigures::view() const {
  TopView view = view_;
  for (ServiceFigures& service : view.services) {
    if (const auto found = rollouts_.find(service.name); found != rollouts_.end()) service.rollout = found->second;
    const auto newest = newest_.find(service.name);
    if (newest == newest_.end()) continue;
    service.event = newest->second.event;
    service.line = newest->second.line;
  }
  return view;
}

}  // namespace gray::control
