#include "config/settings/service_toml.hpp"

#include <algorithm>
#include <numeric>

#include "config/base/units.hpp"
#include "config/keys/text_patterns.hpp"
#include "config/settings/capacity.hpp"
#include "config/settings/limits_toml.hpp"
#include "config/settings/release_toml.hpp"
#include "config/settings/targeting_toml.hpp"
#include "config/settings/version_toml.hpp"

namespace gray {
namespace {

constexpr std::uint32_t kMostInAll = segment::kWorkers / 2;  // a rolling restart may need the other half
constexpr std::size_t kMostSources = 32;                     // of identity, each looked for in every request
constexpr std::size_t kMostAssets = 32;                      // likewise
constexpr std::size_t kMostHost = 253;                       // bytes of a name (RFC 1035)
// A router keeps all routes (a host with a path) and networks, and a table of them must fit into the 16 MiB that it
// reads.
constexpr std::size_t kMostRoutes = 50'000;
constexpr std::size_t kMostRouteBytes = 2 << 20;
constexpr std::size_t kMostNetworks = 100'000;  // of override_from
constexpr std::string_view kNameRule = " is not a valid name: use 1 to 64 of a-z, A-Z, 0-9, _ and -";

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// Hosts and paths (parse_path) are kept as routing compares them, so that two spellings of one are noticed when they
// are loaded.
}  // namespace

std::optional<std::string> parse_host(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '-' || c == '_';
  });
  if (plain && text != ".") return lower(text.ends_with('.') ? text.substr(0, text.size() - 1) : text);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  const auto ip = parse_ip(std::string_view(text).substr(1, text.size() - 2));
  if (!ip || ip->kind != Address::Kind::ipv6) return std::nullopt;
  return "[" + ip->ip_text() + "]";
}

namespace {

void read_selectors(TomlReader& table, ServiceSettings& service) {
  table.text("param", service.param, kMostName);
  if (service.param.find_first_of("&=#;+% ") != service.param.npos)
    table.error("param", in_quotes(service.param) + " cannot be the name of a query parameter");
  table.text("header", service.header, kMostName);
  service.header = lower(service.header);
  if (!service.header.empty() && !is_token(service.header))
    table.error("header", in_quotes(service.header) + " cannot be the name of a header");
  table.text("cookie", service.cookie, kMostName);
  if (!service.cookie.empty() && !is_token(service.cookie))
    table.error("cookie", in_quotes(service.cookie) + " cannot be the name of a cookie");
  table.pattern("param", patterns::kParameterOrNone);
  table.pattern("header", patterns::kTokenOrNone);
  table.pattern("cookie", patterns::kTokenOrNone);
}

/// A source that is always present must be the last; and browsers must accept its cookie over plain HTTP.
void check_issued(TomlReader& table, const std::vector<IdentitySource>& sources) {
  const auto issued = std::find_if(sources.begin(), sources.end(), [](const IdentitySource& source) {
    return source.kind == IdentitySource::Kind::issued_cookie;
  });
  if (issued == sources.end()) return;
  const std::string text = in_quotes(issued->text());
  if (issued->name.starts_with("__Host-") || issued->name.starts_with("__Secure-"))
    table.error("identity", text + ": browsers accept a cookie of this name only over TLS: choose a different name");
  if (issued + 1 == sources.end()) return;
  const std::string behind = (issued + 1)->text();
  const auto items = table.texts("identity");
  for (const TomlReader::Item& item : items.value()) {
    if (item.text != behind) continue;
    table.error(*item.at, in_quotes(behind) + " is never reached: " + text +
                              " gives every user an identity, so it must be the last source");
  }
}

void read_users(TomlReader& table, ServiceSettings& service) {
  service.override_from = {*Cidr::parse("0.0.0.0/0"), *Cidr::parse("::/0")};
  table.list("override_from", service.override_from, Cidr::parse, "an IP network such as \"10.0.0.0/8\"");
  table.pattern("override_from", patterns::kNetwork);
  service.identity = {*IdentitySource::parse("cookie:uid"), *IdentitySource::parse("header:x-user-id"),
                      IdentitySource{}};
  table.list("identity", service.identity, IdentitySource::parse,
             "a source: \"cookie:NAME\", \"header:NAME\", \"client-ip\" or \"issue:NAME\"", kMostName);
  table.pattern("identity", patterns::kIdentity);
  if (KeyForm* const form = table.form("identity")) form->most_items = kMostSources;
  if (service.identity.size() > kMostSources)
    table.error("identity", "\"identity\" has " + std::to_string(service.identity.size()) + " sources: at most " +
                                std::to_string(kMostSources) + " are allowed");
  check_issued(table, service.identity);
  table.choice<bool>("affinity", service.affinity, {{"none", false}, {"identity", true}});
  table.choice<Expose>("expose", service.expose,
                       {{"none", Expose::none}, {"version", Expose::version}, {"decision", Expose::decision}});
}

/// What keeps the pages of one version complete while their users move between versions.
void read_skew(TomlReader& table, ServiceSettings& service) {
  table.flag("pin", service.pin);
  table.flag("asset_retry", service.asset_retry);
  table.list("assets", service.assets, parse_path,
             "a path that begins with \"/\"; without wildcards, because \"/assets\" covers everything below it",
             kMostName);
  table.pattern("assets", patterns::kPath);
  if (KeyForm* const form = table.form("assets")) form->most_items = kMostAssets;
  if (service.assets.size() > kMostAssets)
    table.error("assets", "\"assets\" has " + std::to_string(service.assets.size()) + " paths: at most " +
                              std::to_string(kMostAssets) + " are allowed");
  table.choice<SameSite>("cookie_same_site", service.cookie_same_site,
                         {{"lax", SameSite::lax}, {"strict", SameSite::strict}, {"none", SameSite::none}});
  table.flag("cookie_partitioned", service.cookie_partitioned);
  table.flag("via", service.via);
  table.choice("client_cert", service.client_cert, {{"off", false}, {"required", true}});
}

std::size_t bytes_of(const std::vector<std::string>& texts) {
  return std::accumulate(texts.begin(), texts.end(), std::size_t{0},
                         [](std::size_t sum, const std::string& text) { return sum + text.size(); });
}

/// False, with an error, if the routes of all services so far are too many or too long.
bool count_routes(TomlReader& services, const ServiceSettings& service, ServiceTotals& totals) {
  const auto hosts = std::max(service.hosts.size(), std::size_t{1});
  const auto paths = std::max(service.paths.size(), std::size_t{1});
  const bool fitted = totals.routes <= kMostRoutes && totals.route_bytes <= kMostRouteBytes;
  totals.routes += hosts * paths;
  totals.route_bytes += bytes_of(service.hosts) * paths + bytes_of(service.paths) * hosts;
  if (!fitted) return false;
  if (totals.routes > kMostRoutes) {
    services.error_at_name(service.name, "more than " + std::to_string(kMostRoutes) +
                                             " routes in all: each host with each path of a service is one");
  } else if (totals.route_bytes > kMostRouteBytes) {
    services.error_at_name(service.name, "more than " + format_size(kMostRouteBytes) +
                                             " of routes in all: each host with each path of a service is one");
  }
  return totals.routes <= kMostRoutes && totals.route_bytes <= kMostRouteBytes;
}

void count_networks(TomlReader& table, const ServiceSettings& service, ServiceTotals& totals) {
  const bool fitted = totals.networks <= kMostNetworks;
  totals.networks += service.override_from.size();
  if (fitted && totals.networks > kMostNetworks)
    table.error("override_from", "more than " + std::to_string(kMostNetworks) + " networks in override_from in all");
}

/// Every request belongs to one service: no two services may match the same host and path.
void claim_routes(TomlReader& services, const ServiceSettings& service, ServiceTotals& totals) {
  const std::vector<std::string> any{""};
  for (const std::string& host : service.hosts.empty() ? any : service.hosts)
    for (const std::string& path : service.paths.empty() ? any : service.paths) {
      const std::string prefix = path == "/" ? "" : path;
      const auto [owner, fresh] = totals.owners.try_emplace({host, prefix}, service.name);
      if (fresh || owner->second == service.name) continue;
      const std::string what = host.empty() && prefix.empty()
                                   ? std::string("every host and path: add hosts or paths to one of them")
                                   : in_quotes(host + prefix) + ": remove it from one of them";
      return services.error_at_name(service.name, "services " + in_quotes(owner->second) + " and " +
                                                      in_quotes(service.name) + " both match " + what);
    }
}

void check_weight(TomlReader& table, const ServiceSettings& service) {
  const VersionSettings& version = service.versions.back();
  if (version.name == service.stable) {
    if (table.has("weight"))
      table.error("weight",
                  in_quotes(version.name) + " is stable and gets the rest of the 100 percent: remove its weight");
    return;
  }
  if (version.weight <= 0) return;
  if (const std::string question = fraction_question(version.weight); !question.empty()) table.warn("weight", question);
  for (const VersionSettings& other : service.versions)
    if (&other != &version && other.name != service.stable && other.weight > 0)
      return table.error("weight",
                         in_quotes(other.name) + " already has a weight: only one version besides stable may have one");
}

void count_version(TomlReader& versions, const VersionSettings& version, ServiceTotals& totals) {
  const bool fitted = totals.instances <= kMostInAll;
  totals.instances += version.instances;
  if (++totals.versions == segment::kVersions + 1)
    versions.error_at_name(version.name, "more than " + std::to_string(segment::kVersions) + " versions in all");
  if (fitted && totals.instances > kMostInAll)
    versions.error_at_name(version.name, "more than " + std::to_string(kMostInAll) + " instances in all");
}

void read_versions(TomlReader& table, ServiceSettings& service, ServiceTotals& totals) {
  TomlReader versions(table, "version", "versions");
  const std::vector<std::string> names = versions.names();
  if (KeyForm* const form = versions.form()) form->names = patterns::kName;
  for (const std::string& name : names) {
    if (!is_name(name)) versions.error_at_name(name, in_quotes(name) + std::string(kNameRule));
    TomlReader version(versions, name, "version");
    service.versions.push_back(read_version(version, name));
    check_weight(version, service);
    count_version(versions, service.versions.back(), totals);
  }
}

/// Users send one of `hosts`, and a worker may answer no other.
void default_probe_host(ServiceSettings& service) {
  if (service.hosts.empty()) return;
  const auto complete = [&](HttpProbe& probe) {
    if (!probe.path.empty() && probe.host.empty()) probe.host = service.hosts.front();
  };
  for (VersionSettings& version : service.versions) complete(version.health);
  if (service.release) complete(service.release->form.health);
}

void check_stable(TomlReader& services, TomlReader& table, const ServiceSettings& service) {
  if (service.versions.empty() && !service.release)
    return services.error_at_name(service.name, "service " + in_quotes(service.name) +
                                                    " has no version: add [service." + service.name +
                                                    ".version.v1] with a command, or [service." + service.name +
                                                    ".release] for versions that are deployed");
  if (!table.has("stable"))
    return services.error_at_name(
        service.name,
        "service " + in_quotes(service.name) + " has no stable version: add stable = " +
            (service.versions.empty() ? "\"VERSION\", a deployed version" : in_quotes(service.versions.front().name)));
  if (service.version(service.stable) != nullptr || service.release) return;
  std::string names;
  for (const VersionSettings& version : service.versions)
    names += (names.empty() ? "" : ", ") + in_quotes(version.name);
  table.error("stable", "there is no version " + in_quotes(service.stable) + ": name one of " + names);
}

}  // namespace

std::optional<std::string> parse_path(const std::string& text) {
  const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!text.starts_with('/') || !visible || text.find_first_of("?#*") != text.npos) return std::nullopt;
  return text.substr(0, std::max<std::size_t>(1, text.find_last_not_of('/') + 1));
}

bool is_name(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
}

ServiceSettings read_service(TomlReader& services, const std::string& name, ServiceTotals& totals) {
  if (!is_name(name)) services.error_at_name(name, in_quotes(name) + std::string(kNameRule));
  ServiceSettings service;
  service.name = name;
  TomlReader table(services, name, "service");
  table.require("stable");
  table.text("stable", service.stable);
  table.list("hosts", service.hosts, parse_host,
             "a host: a plain name without port and wildcards, such as \"example.com\"", kMostHost);
  table.list("paths", service.paths, parse_path,
             "a path that begins with \"/\"; without wildcards, because \"/api\" covers everything below it",
             kMostPath);
  table.pattern("hosts", patterns::kHost);
  table.pattern("paths", patterns::kPath);
  read_selectors(table, service);
  read_users(table, service);
  read_skew(table, service);
  count_networks(table, service, totals);
  service.limits = read_limits(table);
  read_versions(table, service, totals);
  service.release = read_release(table, name);
  service.rollout = read_rollout(table);
  read_targeting(table, service, totals);
  default_probe_host(service);
  check_stable(services, table, service);
  if (count_routes(services, service, totals)) claim_routes(services, service, totals);
  return service;
}

}  // namespace gray
