#include "control/explain/asked_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "config/base/network_set.hpp"
#include "control/explain/table_targets.hpp"
#include "router/policy/asset.hpp"
#include "router/policy/decision.hpp"
#include "router/policy/route_table.hpp"
#include "router/wire/head.hpp"

namespace gray::control {
namespace {

constexpr std::size_t kMostHead = 1024 * 1024;  // the bound of the `head` setting

std::string head_of(const AskedRequest& asked) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", asked.method, asked.path, asked.host);
  for (std::size_t at = 0; at < asked.headers.size();) {
    const std::size_t end = std::min(asked.headers.find('\n', at), asked.headers.size());
    if (end > at) head += asked.headers.substr(at, end - at) + "\r\n";
    at = end + 1;
  }
  return head + "\r\n";
}

std::optional<Address> peer_of(const std::string& client) {
  if (client == "unix") return Address::parse("unix:client");
  return parse_ip(client);
}

std::optional<std::size_t> service_of(const RoutingTable& table, const AskedRequest& asked,
                                      const http::RequestHead& head) {
  if (asked.service.empty()) return policy::RouteTable(table.services).find(head.authority, head.path);
  const auto found = std::ranges::find(table.services, asked.service, &ServiceRoute::name);
  return found == table.services.end() ? std::nullopt
                                       : std::optional(static_cast<std::size_t>(found - table.services.begin()));
}

void add_service(Explanation& explanation, const ServiceRoute& route) {
  explanation.service = route.name;
  explanation.stable = route.versions[route.stable].name;
  if (route.canary) explanation.canary = route.versions[*route.canary].name;
  explanation.salt = route.salt;
  explanation.threshold = Threshold::of_percent(route.weight);
}

void add_user(Explanation& explanation, const policy::Choice& choice) {
  if (!choice.identified()) return;
  explanation.user = Explanation::User{choice.identity->text(), {}, choice.identity_hash};
  for (const policy::Step& step : explanation.steps)
    if (step.outcome == policy::Outcome::found || step.outcome == policy::Outcome::issued)
      explanation.user->text = step.value;
}

Explanation explain(const RoutingTable& table, const ServiceRoute& route, const http::RequestHead& head,
                    const Address& peer, const Settings& settings) {
  Explanation explanation{.table = table.number};
  add_service(explanation, route);
  const auto is_up = [&route](std::uint32_t version) { return !route.versions[version].workers.empty(); };
  const NetworkSet trusted_proxies(settings.router.trusted_proxies, settings.router.trusts_unix_peers);
  const Address client =
      trusted_proxies.contains(peer) ? policy::client_address(peer, head.fields, trusted_proxies).address : peer;
  const ServiceSettings* its_settings = settings.service(route.name);
  const auto targets =
      targets_of(route, its_settings != nullptr ? its_settings->allowlist_source.table.get() : nullptr);
  const auto service = policy::policy_of(route, table.issue_seed, targets);
  policy::Trace trace;
  const auto choice = policy::explain(service, head, client, peer, is_up, trace);
  explanation.steps = std::move(trace.steps);
  explanation.version = route.versions[choice.version].name;
  explanation.decision = choice.decision;
  explanation.down = !is_up(choice.version);
  explanation.listed = choice.listed;
  if (choice.rule != policy::Choice::kNoRule) explanation.rule = route.rules[choice.rule].name;
  explanation.asset = choice.pin == policy::Pin::none && policy::asset_of(route, head) != policy::Asset::none;
  explanation.peer = peer.kind == Address::Kind::unix_path ? "a unix peer" : peer.ip_text();
  add_user(explanation, choice);
  return explanation;
}

}  // namespace

AskedRequest AskedRequest::of(const nlohmann::json& args) {
  AskedRequest asked;
  for (const auto& [name, member] :
       {std::pair{"method", &asked.method}, std::pair{"host", &asked.host}, std::pair{"path", &asked.path},
        std::pair{"headers", &asked.headers}, std::pair{"client", &asked.client}, std::pair{"service", &asked.service}})
    if (const auto found = args.find(name); found != args.end()) *member = found->get<std::string>();
  return asked;
}

std::variant<Explanation, std::string> explain_request(const RoutingTable& table, const Settings& settings,
                                                       const AskedRequest& asked) {
  const auto peer = peer_of(asked.client);
  if (!peer) return fmt::format("the client must be an IP address, or \"unix\", not \"{}\"", asked.client);
  const std::string text = head_of(asked);
  const auto head = std::make_unique<http::RequestHead>();
  http::Fault fault;
  if (http::parse_request(text, {kMostHead, http::kMaxFields}, *head, fault) != http::Parse::complete)
    return fmt::format("such a request gets {} ({}: {}) before it is routed", fault.status, fault.rule, fault.text);
  const auto service = service_of(table, asked, *head);
  if (service) return explain(table, table.services[*service], *head, *peer, settings);
  return Explanation{.table = table.number};
}

}  // namespace gray::control
