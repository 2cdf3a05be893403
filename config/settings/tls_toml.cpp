#include "config/settings/tls_toml.hpp"

#include <map>

#include "config/keys/text_patterns.hpp"
#include "config/settings/service_toml.hpp"

namespace gray {
namespace {

constexpr std::size_t kMostHosts = 100;  // of one certificate
constexpr const char* kTlsHost = "a host name such as \"example.com\", or \"*.example.com\"";

/// Empty if the key is absent or empty.
void read_tls_file(TomlReader& table, const char* key, std::string& path) {
  std::string text;
  table.text(key, text, kMostFilePath);
  path = text.empty() ? "" : anchored(table.file().folder, text);
}

void need_tls_file(TomlReader& table, const char* key, const std::string& path, const char* what) {
  if (path.empty()) table.error(key, std::string("there is no ") + what + ": name its file in \"" + key + "\"");
}

TlsSettings read_one(TomlReader& all, const std::string& name) {
  TlsSettings one;
  one.name = name;
  TomlReader table(all, name, "tls.NAME");
  if (!is_name(name))
    all.error_at_name(name, in_quotes(name) + " is not a name: use 1 to 64 of the characters a-z A-Z 0-9 _ -");
  table.require("certificate");
  table.require("key");
  read_tls_file(table, "certificate", one.certificate);
  read_tls_file(table, "key", one.key);
  one.certificate_at = table.place("certificate");
  need_tls_file(table, "certificate", one.certificate, "certificate");
  need_tls_file(table, "key", one.key, "key");
  table.list("hosts", one.hosts, parse_tls_host, kTlsHost);
  table.pattern("hosts", patterns::kTlsHost);
  if (KeyForm* const form = table.form("hosts")) form->most_items = kMostHosts;
  if (one.hosts.size() > kMostHosts)
    table.error("hosts", "\"hosts\" has " + std::to_string(one.hosts.size()) + " names: at most " +
                             std::to_string(kMostHosts) + " are allowed");
  table.choice("client_auth", one.client_auth,
               {{"off", ClientAuth::off}, {"optional", ClientAuth::optional}, {"required", ClientAuth::required}});
  read_tls_file(table, "client_ca", one.client_ca);
  read_tls_file(table, "client_crl", one.client_crl);
  if (one.client_auth != ClientAuth::off && one.client_ca.empty())
    table.error("client_auth",
                "clients are asked for a certificate, but nothing says which ones are good: name the "
                "file of their CA in \"client_ca\"");
  if (one.client_auth == ClientAuth::off && !(one.client_ca + one.client_crl).empty())
    table.warn(one.client_ca.empty() ? "client_crl" : "client_ca", "it is not used, because client_auth is \"off\"");
  return one;
}

/// A host with two certificates.
void check_tls_hosts(TomlReader& all, const std::vector<TlsSettings>& list) {
  std::map<std::string, std::string> owners;
  for (const TlsSettings& one : list)
    for (const std::string& host : one.hosts)
      if (const auto [found, added] = owners.emplace(host, one.name); !added)
        all.error_at_name(one.name, "the host " + in_quotes(host) + " belongs to tls." + found->second +
                                        " already: name it in one of them");
}

}  // namespace

std::optional<std::string> parse_tls_host(const std::string& text) {
  const bool any = text.starts_with("*.");
  const auto host = parse_host(any ? text.substr(2) : text);
  if (!host || host->starts_with('[') || host->size() > 253) return std::nullopt;
  return any ? "*." + *host : *host;
}

std::vector<TlsSettings> read_tls(TomlReader& root) {
  std::vector<TlsSettings> list;
  TomlReader all(root, "tls", "tls");
  const std::vector<std::string> names = all.names();
  if (KeyForm* const form = all.form()) form->names = patterns::kName;
  for (const std::string& name : names) list.push_back(read_one(all, name));
  if (list.size() > TlsSettings::kMost)
    root.error("tls", "there are " + std::to_string(list.size()) + " certificates: at most " +
                          std::to_string(TlsSettings::kMost) + " are allowed");
  check_tls_hosts(all, list);
  return list;
}

}  // namespace gray
