#include "control/report/warnings.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "config/base/network_set.hpp"
#include "config/shared/totals.hpp"
#include "control/traffic/serving.hpp"

namespace gray::control {
namespace {

/// The first worker of a version of which `holds` is true; null: none.
template <class Holds>
const WorkerView* first_worker(const VersionView& view, Holds holds) {
  const auto found = std::find_if(view.workers.begin(), view.workers.end(), [&](const WorkerView& worker) {
    return worker.pid > 0 && worker.address && holds(worker);
  });
  return found == view.workers.end() ? nullptr : &*found;
}

/// As this value of trusted_proxies; the address may be one in quotes or a network around it.
void untrusted_proxy(std::vector<Warning>& all, const ReportSource& source) {
  if (source.untrusted_proxy.empty()) return;
  const RouterSettings& router = source.settings.router;
  const bool is_unix = source.untrusted_proxy == "unix";
  const auto peer = parse_ip(source.untrusted_proxy);
  if (is_unix ? router.trusts_unix_peers : !peer || NetworkSet(router.trusted_proxies).contains(*peer)) return;
  all.push_back({"trusted-proxies", "", "",
                 fmt::format("{} sends X-Forwarded-* or Forwarded, but is not trusted, so all its users count as one: "
                             "if it is your proxy, add \"{}\" to router.trusted_proxies",
                             is_unix ? "a peer over a unix listener" : "the peer " + source.untrusted_proxy,
                             source.untrusted_proxy)});
}

void short_backlog(std::vector<Warning>& all, const ServiceSettings& service, const VersionView& view) {
  const std::uint32_t sockets = service.limits.max_sockets;
  const auto* worker = first_worker(
      view, [sockets](const WorkerView& one) { return one.listener.backlog > 0 && one.listener.backlog < sockets; });
  if (worker == nullptr) return;
  all.push_back(
      {"listen-backlog", view.service, view.version,
       fmt::format("worker {} listens with a backlog of {}, but may get max_sockets = {} connections at once: "
                   "under load some wait for seconds; raise the backlog of the program, or lower max_sockets",
                   worker->id, worker->listener.backlog, sockets)});
}

void open_listener(std::vector<Warning>& all, const VersionView& view) {
  const auto* worker = first_worker(view, [](const WorkerView& one) { return one.listener.everywhere; });
  if (worker == nullptr) return;
  all.push_back({"open-listener", view.service, view.version,
                 fmt::format("worker {} listens on every interface, port {}: it can be reached without the router; let "
                             "the program bind to HOST, or use listen = \"unix\"",
                             worker->id, worker->address->port)});
}

void spills(std::vector<Warning>& all, const ReportSource& source, const ServiceSettings& service,
            const std::string& version) {
  const auto row = source.rows.find(service.name, version);
  if (!service.affinity || !row) return;
  const auto count = segment::sum(source.layout, *row).affinity_spills;
  if (count == 0) return;
  all.push_back(
      {"affinity-spills", service.name, version,
       fmt::format("{} requests did not get the worker of their user, because its max_sockets = {} were in use "
                   "for queue_timeout: raise max_sockets",
                   count, service.limits.max_sockets)});
}

/// The first version that the rules or the allowlist name and that does not exist: a typing mistake, or not yet there.
void unknown_target(std::vector<Warning>& all, const ServiceSettings& service) {
  const auto is_unknown = [&](const std::string& version) {
    return version != kCanaryRole && version != kStableRole && service.version(version) == nullptr;
  };
  const auto warn = [&](const std::string& version, const std::string& who) {
    all.push_back({"unknown-target", service.name, version,
                   fmt::format("{} {}: there is no version {} of {}; until it is deployed, nobody is chosen for it",
                               who, version, version, service.name)});
  };
  if (service.allowlist.count > 0 && is_unknown(service.allowlist.version))
    return warn(service.allowlist.version, "the allowlist names");
  const auto rule = std::ranges::find_if(service.rules, is_unknown, &Rule::version);
  if (rule != service.rules.end()) warn(rule->version, fmt::format("the rule \"{}\" names", rule->name));
}

/// A certificate that ends soon, and one that could not be renewed.
void certificates(std::vector<Warning>& all, const ReportSource& source) {
  constexpr std::int64_t kDay = 86'400;
  constexpr std::int64_t kSoon = 14 * kDay;
  const auto now = unix_seconds(wall_now());
  for (const TlsView& one : source.tls) {
    if (!one.error.empty()) all.push_back({"certificate", "", "", fmt::format("tls.{}: {}", one.name, one.error)});
    if (one.not_after == 0 || one.not_after - now > kSoon) continue;
    const auto date = rfc3339(WallTime(std::chrono::seconds(one.not_after)));
    all.push_back({"certificate-expires", "", "",
                   one.not_after <= now
                       ? fmt::format("the certificate of tls.{} expired at {}: renew it", one.name, date)
                       : fmt::format("the certificate of tls.{} expires at {}: renew it", one.name, date)});
  }
}

}  // namespace

std::vector<Warning> warnings(const ReportSource& source) {
  std::vector<Warning> all;
  untrusted_proxy(all, source);
  certificates(all, source);
  for (const ServiceSettings& service : source.settings.services) {
    unknown_target(all, service);
    for (const VersionSettings& version : service.versions) {
      if (const VersionView* view = view_of(source.views, service.name, version.name)) {
        short_backlog(all, service, *view);
        open_listener(all, *view);
      }
      spills(all, source, service, version.name);
    }
  }
  return all;
}

}  // namespace gray::control
