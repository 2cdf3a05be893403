#include "grayd/doctor/service_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "grayd/init/remedies.hpp"

namespace gray::doctor {
namespace {

constexpr double kSameWeight = 0.005;  // two weights that are written alike

/// What is known of the reason; a version that starts has none yet.
std::string cause_text(const VersionFacts& version) {
  if (version.cause.empty()) return version.state == "starting" ? "; it is starting" : "";
  std::string text = ": " + version.cause;
  for (const std::string& mistake : init::known_mistakes(version.cause, {}, 0)) text += "; " + mistake;
  return text;
}

std::size_t healthy_of(const VersionFacts& version) {
  return static_cast<std::size_t>(std::ranges::count(version.workers, "healthy", &WorkerFacts::state));
}

std::string subject_of(const VersionFacts& version) { return version.service + " " + version.name; }

void check_stable(const VersionFacts& version, Checkup& out) {
  const std::size_t healthy = healthy_of(version);
  const std::string remedy =
      fmt::format("grayctl logs {0} {1}, then: grayctl restart {0} {1}", version.service, version.name);
  if (version.stopped)
    out.add("stable", Severity::error, subject_of(version), "the stable version was stopped: its users get 503",
            fmt::format("grayctl start {} {}", version.service, version.name));
  else if (healthy == 0)
    out.add("stable", Severity::error, subject_of(version),
            "no worker of the stable version is healthy: its users get 503" + cause_text(version), remedy);
  else if (healthy < version.instances)
    out.add("stable", Severity::warning, subject_of(version),
            fmt::format("{} of {} workers of the stable version are healthy{}", healthy, version.instances,
                        cause_text(version)),
            remedy);
}

void check_canary(const VersionFacts& version, Checkup& out) {
  if (version.weight <= 0 || healthy_of(version) > 0) return;
  out.add("canary", Severity::error, subject_of(version),
          fmt::format("it has {}% of the users, but no healthy worker: they go to stable{}", version.weight,
                      cause_text(version)),
          fmt::format("grayctl logs {0} {1}; to take its users away: grayctl shift {0} {1} 0", version.service,
                      version.name));
}

void check_weight_drift(const ServiceFacts& service, const VersionFacts& version, Checkup& out) {
  if (version.stable || service.stable != service.configured_stable) return;  // of stable it is the rest
  if (std::abs(version.weight - version.configured_weight) < kSameWeight) return;
  out.add(
      "drift", Severity::warning, subject_of(version),
      fmt::format("its weight is {}%, in the file {}%: what was set with grayctl wins, also after a restart",
                  version.weight, version.configured_weight),
      fmt::format("grayctl history {0} says who set it; grayctl shift {0} {1} {2}, or write weight = {3} in the file",
                  version.service, version.name, version.configured_weight, version.weight));
}

void check_drift(const Facts& facts, Checkup& out) {
  if (facts.config_changed)
    out.add("drift", Severity::warning, facts.config ? facts.config->path : "the configuration",
            "the file differs from what grayd has loaded", "grayctl reload, which says what it changes");
  for (const ServiceFacts& service : facts.services) {
    if (service.stable != service.configured_stable)
      out.add("drift", Severity::warning, service.name,
              fmt::format("stable is {}, in the file {}", service.stable, service.configured_stable),
              fmt::format("write stable = \"{}\" in [service.{}]", service.stable, service.name));
    for (const VersionFacts& version : service.versions) check_weight_drift(service, version, out);
  }
  out.pass("drift", "the file, the weights and the stable versions agree");
}

void check_routers(const Facts& facts, Checkup& out) {
  const auto is_ready = [](const RouterFacts& router) { return router.state == "ready"; };
  const auto ready = std::ranges::find_if(facts.routers, is_ready);
  if (ready == facts.routers.end())
    out.add("router", Severity::error, "router", "no router process is ready: no request is served",
            "the log of grayd says why; grayctl upgrade router starts another one");
  else if (ready->table != facts.table)
    out.add("router", Severity::warning, fmt::format("router pid {}", ready->pid),
            fmt::format("it has table {}, the newest is {}: a change has not arrived", ready->table, facts.table),
            "look again in a second; if it stays: grayctl upgrade router");
  else
    out.pass("router", fmt::format("pid {} is ready, with the newest table", ready->pid));
}

/// The part before the remedy, and the remedy: a warning of the status has both in one line.
std::pair<std::string, std::string> parts_of(const std::string& text) {
  for (const char* mark : {"; ", ": if ", ": raise ", ": let "})
    if (const std::size_t at = text.rfind(mark); at != text.npos) return {text.substr(0, at), text.substr(at + 2)};
  return {text, "see docs/operations.md"};
}

void check_warnings(const Facts& facts, Checkup& out) {
  for (const WarningFacts& warning : facts.warnings) {
    const std::string check = warning.cause == "listen-backlog" ? "backlog" : warning.cause;
    // The same was seen in /proc, by worker.
    if (check == "open-listener" && out.has(check)) continue;
    auto [message, remedy] = parts_of(warning.text);
    const std::string subject = warning.service.empty()   ? "router"
                                : warning.version.empty() ? warning.service
                                                          : warning.service + " " + warning.version;
    out.add(check, Severity::warning, subject, std::move(message), std::move(remedy));
  }
  out.pass("trusted-proxies", "no untrusted peer sends fields of a proxy");
}

void check_backlog(const Facts& facts, Checkup& out) {
  if (!facts.listen_backlog)
    return out.skip("backlog", facts.unseen.contains("backlog") ? facts.unseen.at("backlog") : "not known");
  for (const ServiceFacts& service : facts.services)
    if (service.max_sockets > *facts.listen_backlog)
      out.add("backlog", Severity::warning, service.name,
              fmt::format("max_sockets = {} is more than the backlog of any socket of this host, {}",
                          service.max_sockets, *facts.listen_backlog),
              fmt::format("sysctl net.core.somaxconn={}, or lower max_sockets", service.max_sockets));
  out.pass("backlog", "the backlogs of the workers are long enough for max_sockets");
}

}  // namespace

void check_services(const Facts& facts, Checkup& out) {
  std::size_t canaries = 0;
  for (const ServiceFacts& service : facts.services) {
    for (const VersionFacts& version : service.versions) {
      if (version.stable)
        check_stable(version, out);
      else
        check_canary(version, out);
      canaries += !version.stable && version.weight > 0;
    }
  }
  out.pass("stable", "each stable version has all its workers");
  out.pass("canary", canaries == 0 ? "no version beside stable has users" : "the versions with users are healthy");
  check_drift(facts, out);
  check_routers(facts, out);
  check_warnings(facts, out);
  check_backlog(facts, out);
}

}  // namespace gray::doctor
