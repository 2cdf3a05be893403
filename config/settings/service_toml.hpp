#pragma once
// `[service.NAME]` of the configuration file, with its limits and versions.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "config/settings/settings.hpp"
#include "config/toml/toml_reader.hpp"

namespace gray {

/// The checks that span all services of a file.
struct ServiceTotals {
  std::uint32_t versions = 0;
  std::uint32_t instances = 0;
  std::size_t routes = 0, route_bytes = 0;  // of all pairs of a host and a path
  std::size_t networks = 0;                 // of override_from
  std::size_t allowlists = 0, rule_values = 0, rule_bytes = 0;
  std::map<std::pair<std::string, std::string>, std::string> owners;  // (host, path), empty: any, to its service
};

ServiceSettings read_service(TomlReader& services, const std::string& name, ServiceTotals& totals);

/// A path as routing compares it: it begins with '/', and has no '/' at its end unless it is "/".
std::optional<std::string> parse_path(const std::string& text);

/// A host without a port, in lower case; an IPv6 address in brackets. Nothing for other texts.
std::optional<std::string> parse_host(const std::string& text);

/// Names of services and versions appear in URLs, headers and file names: 1 to 64 of a-z A-Z 0-9 _ -
bool is_name(std::string_view text);

}  // namespace gray
