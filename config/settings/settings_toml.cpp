#include "config/settings/settings_toml.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "config/base/unique_fd.hpp"
#include "config/base/units.hpp"
#include "config/keys/text_patterns.hpp"
#include "config/settings/service_toml.hpp"
#include "config/settings/tls_toml.hpp"
#include "config/shared/segment.hpp"
#include "config/toml/toml_reader.hpp"

namespace gray {
namespace {

constexpr std::uint32_t kMostConnections = 1'000'000;
constexpr std::uint32_t kMostRequests = 1'000'000'000;
constexpr std::uint64_t kLeastBudget = 16ull << 20;
constexpr std::uint64_t kMostBudget = 1ull << 50;
constexpr std::size_t kMostFile = 16 << 20;  // bytes of a configuration file: it is read while grayd serves
constexpr std::size_t kMostListeners = 64;   // of each list: each router inherits all
constexpr const char* kListener = "an address: \"127.0.0.1:8000\", \"[::1]:8000\" or \"unix:PATH\"";

/// An address to listen on; the path of a unix socket is made absolute.
std::optional<Address> parse_listener(const std::string& folder, const std::string& text) {
  if (text.starts_with("unix:") && text.size() > 5) return Address::parse("unix:" + anchored(folder, text.substr(5)));
  return Address::parse(text);
}

std::string with_remedy(const std::string& remedy) { return remedy.empty() ? remedy : "; " + remedy; }

/// Whether a socket at one address makes it impossible to listen at the other. An IPv6 listener takes no IPv4.
bool overlap(const Address& one, const Address& other) {
  if (one == other)
    return one.kind == Address::Kind::unix_path || one.port != 0;  // 0: the kernel picks different ports
  constexpr std::array<std::uint8_t, 16> kAny{};
  return one.kind == other.kind && one.kind != Address::Kind::unix_path && one.port == other.port && one.port != 0 &&
         (one.ip == kAny || other.ip == kAny);
}

/// Two listeners that cannot both be opened, of all lists. `listen` may have only one of both.
void check_overlaps(TomlReader& listen, const Settings& settings) {
  std::vector<std::pair<const char*, Address>> all;
  for (const Address& address : settings.listen) all.emplace_back("http", address);
  for (const Address& address : settings.https) all.emplace_back("https", address);
  for (const Address& address : settings.proxy_protocol) all.emplace_back("proxy_protocol", address);
  if (const auto metrics = Address::parse(settings.metrics)) all.emplace_back("metrics", *metrics);
  if (const auto dashboard = Address::parse(settings.dashboard)) all.emplace_back("dashboard", *dashboard);
  for (std::size_t i = 1; i < all.size(); ++i) {
    const auto& [key, address] = all[i];
    for (std::size_t j = 0; j < i; ++j) {
      const auto& [earlier, taken] = all[j];
      if (!overlap(taken, address) || (taken == address && std::string_view(earlier) == key)) continue;
      listen.error(key, address.text() + " is in use by " + taken.text() + " of listen." + earlier +
                            ": give each listener its own port");
      break;
    }
  }
}

void check_count(TomlReader& listen, const char* key, std::size_t count) {
  if (count > kMostListeners)
    listen.error(key, in_quotes(key) + " has " + std::to_string(count) + " addresses: at most " +
                          std::to_string(kMostListeners) + " are allowed");
}

void describe_listeners(TomlReader& listen, std::string_view key) {
  listen.pattern(key, patterns::kListener);
  if (KeyForm* const form = listen.form(key)) form->most_items = kMostListeners;
}

/// A peer on these listeners names the client address, so the trusted peers must be listed. A unix socket is protected
/// by its folder.
void read_proxy_protocol(TomlReader& listen, Settings& settings) {
  listen.list(
      "proxy_protocol", settings.proxy_protocol,
      [&](const std::string& text) { return parse_listener(listen.file().folder, text); }, kListener, kMostText,
      listener_remedy);
  describe_listeners(listen, "proxy_protocol");
  check_count(listen, "proxy_protocol", settings.proxy_protocol.size());
  bool over_ip = false;
  for (const Address& address : settings.proxy_protocol) over_ip = over_ip || address.kind != Address::Kind::unix_path;
  if (over_ip && settings.router.trusted_proxies.empty())
    listen.error("proxy_protocol",
                 "no peer may connect to these addresses: list the load balancers in router.trusted_proxies");
}

/// TLS needs a certificate.
void read_https(TomlReader& listen, Settings& settings) {
  listen.flag("h2", settings.router.h2);
  listen.flag("h2c", settings.router.h2c);
  listen.list(
      "https", settings.https, [&](const std::string& text) { return parse_listener(listen.file().folder, text); },
      kListener, kMostText, listener_remedy);
  describe_listeners(listen, "https");
  check_count(listen, "https", settings.https.size());
  if (!settings.https.empty() && settings.tls.empty())
    listen.error("https", "there is no certificate for these addresses: add [tls.main] with certificate and key");
}

/// One address of IP, or none.
void read_tcp_address(TomlReader& listen, const char* key, const char* example, std::string& value) {
  listen.text(key, value);
  listen.pattern(key, patterns::kTcpAddressOrNone);
  const auto address = Address::parse(value);
  if (!value.empty() && (!address || address->kind == Address::Kind::unix_path))
    listen.error(key, in_quotes(value) + " is not an address to listen on, such as " + in_quotes(example) +
                          with_remedy(listener_remedy(value)));
}

/// It has no login.
void read_dashboard(TomlReader& listen, Settings& settings) {
  read_tcp_address(listen, "dashboard", "127.0.0.1:9101", settings.dashboard);
  const auto address = Address::parse(settings.dashboard);
  if (!address || address->kind == Address::Kind::unix_path) return;
  const auto loopback = *Address::parse("[::1]:0");
  if (address->kind == Address::Kind::ipv4 ? address->ip[0] == 127 : address->ip == loopback.ip) return;
  listen.warn("dashboard", "other hosts may reach " + address->text() + ", and the page has no login: who reaches it " +
                               (settings.page_may_write ? "can shift users" : "sees everything") +
                               "; use 127.0.0.1, or let only a proxy with a login reach it");
}

void read_listen(TomlReader& root, Settings& settings) {
  const std::string& folder = root.file().folder;
  TomlReader table(root, "listen");
  const std::size_t problems = root.file().problems.size();
  settings.listen = {*Address::parse("127.0.0.1:8000")};
  table.list(
      "http", settings.listen, [&](const std::string& text) { return parse_listener(folder, text); }, kListener,
      kMostText, listener_remedy);
  describe_listeners(table, "http");
  if (KeyForm* const form = table.form("http")) form->fewest_items = 1;
  check_count(table, "http", settings.listen.size());
  // A list whose members were all refused has its errors already: one mistake gives one error.
  if (table.has("http") && settings.listen.empty() && root.file().problems.size() == problems)
    table.error("http", "there is no address to listen on: name one, such as \"127.0.0.1:8000\"");
  read_https(table, settings);
  read_proxy_protocol(table, settings);
  settings.admin = "run/grayd.sock";
  table.path("admin", settings.admin);
  const auto admin = Address::parse("unix:" + settings.admin);
  if (!admin) table.error("admin", "the path is longer than the 107 bytes of a unix socket: " + settings.admin);
  for (const auto& [key, addresses] :
       {std::pair{"http", &settings.listen}, {"https", &settings.https}, {"proxy_protocol", &settings.proxy_protocol}})
    if (std::find(addresses->begin(), addresses->end(), admin) != addresses->end())
      table.error("admin",
                  std::string("listen.") + key + " already uses this socket: give the admin socket its own path");
  read_tcp_address(table, "metrics", "127.0.0.1:9109", settings.metrics);
  read_dashboard(table, settings);
  check_overlaps(table, settings);
}

/// A network, or "unix" for the peers over unix listeners.
struct TrustedPeer {
  std::optional<Cidr> network;

  static std::optional<TrustedPeer> parse(const std::string& text) {
    if (text == "unix") return TrustedPeer{};
    const auto network = Cidr::parse(text);
    return network ? std::optional(TrustedPeer{network}) : std::nullopt;
  }
  std::string text() const { return network ? network->text() : "unix"; }
};

void read_router(TomlReader& root, RouterSettings& router) {
  TomlReader table(root, "router");
  table.number("threads", router.threads, 0, segment::kThreads);
  std::vector<TrustedPeer> trusted;
  table.list("trusted_proxies", trusted, TrustedPeer::parse, "an IP network such as \"10.0.0.0/8\", or \"unix\"");
  table.pattern("trusted_proxies", patterns::kNetworkOrUnix);
  for (const TrustedPeer& peer : trusted) {
    if (peer.network) router.trusted_proxies.push_back(*peer.network);
    router.trusts_unix_peers = router.trusts_unix_peers || !peer.network;
  }
  table.number("max_connections", router.max_connections, 1, kMostConnections);
  table.number("max_connections_per_client", router.max_connections_per_client, 1, kMostConnections);
  table.number("max_requests_per_connection", router.max_requests_per_connection, 1, kMostRequests);
  table.text("user", router.user, kMostName);
  router.user_at = table.place("user");
}

void read_access_log(TomlReader& root, Settings& settings) {
  settings.access_log = "run/access.log";
  root.text("access_log", settings.access_log, kMostPath);
  root.pattern("access_log", "^[^\\x00]+$");
  if (settings.access_log.empty()) root.error("access_log", "the path is empty: name a file, or write \"off\"");
  settings.access_log = settings.access_log == "off" ? "" : anchored(root.file().folder, settings.access_log);
}

void read_services(TomlReader& root, Settings& settings) {
  ServiceTotals totals;
  TomlReader services(root, "service", "services");
  root.require("service");
  const std::vector<std::string> names = services.names();
  if (KeyForm* const form = services.form()) {
    form->names = patterns::kName;
    form->fewest_items = 1;
  }
  for (const std::string& name : names) settings.services.push_back(read_service(services, name, totals));
  if (settings.services.empty())
    root.error("service", "there is no service: add [service.NAME] and [service.NAME.version.v1]");
}

/// A service that only clients with a certificate may use needs a listener that asks for one.
void check_client_certs(TomlReader& root, const Settings& settings) {
  const bool asked =
      std::ranges::any_of(settings.tls, [](const TlsSettings& one) { return one.client_auth != ClientAuth::off; });
  for (const ServiceSettings& service : settings.services)
    if (service.client_cert && (!asked || settings.https.empty()))
      root.error("service", "service " + service.name +
                                " has client_cert = \"required\", but no client is asked for a "
                                "certificate: set listen.https, and client_auth in a [tls.NAME]");
}

void read_settings(const toml::table& table, TomlFile& file, Settings& settings) {
  TomlReader root(table, file);
  settings.state_dir = "run/state";
  root.path("state_dir", settings.state_dir);
  read_access_log(root, settings);
  read_router(root, settings.router);
  {
    TomlReader admin(root, "admin");
    admin.flag("write", settings.page_may_write);
  }
  settings.tls = read_tls(root);
  read_listen(root, settings);
  {
    TomlReader memory(root, "memory");
    memory.size("budget", settings.memory_budget, kLeastBudget, kMostBudget);
    memory.choice("leak_detection", settings.leak_detection,
                  {{"off", LeakDetection::off},
                   {"simple", LeakDetection::simple},
                   {"advanced", LeakDetection::advanced},
                   {"paranoid", LeakDetection::paranoid}});
  }
  read_services(root, settings);
  check_client_certs(root, settings);
}

/// Nothing, with errno set, if the file cannot be read, or is a folder. Stops after more than kMostFile bytes.
std::optional<std::string> read_file(const std::string& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string text;
  char buffer[16 * 1024];
  while (text.size() <= kMostFile) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof(buffer));
    if (got == 0) return text;
    if (got < 0 && errno != EINTR) return std::nullopt;
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

ConfigErrors errors(const std::string& file, std::string_view text, std::vector<Diagnostic> problems) {
  const std::size_t count = problems.size();
  return {render(file, text, std::move(problems)), count};
}

}  // namespace

LoadedSettings parse_settings(std::string_view text, const std::string& file, Beside beside) {
  Settings settings;
  settings.file = anchored(std::filesystem::current_path().string(), file);
  TomlFile context;
  context.reads_beside = beside == Beside::read;
  context.folder = std::filesystem::path(settings.file).parent_path().string();
  try {
    const toml::table table = toml::parse(text, std::string_view(file));
    read_settings(table, context, settings);
    explain_unknown_keys(context);
  } catch (const toml::parse_error& problem) {
    const auto& at = problem.source().begin;
    const auto remedy = syntax_remedy(text, at.line);
    context.problems.push_back(remedy ? *remedy : Diagnostic{at.line, at.column, std::string(problem.description())});
  }
  if (!context.problems.empty()) return errors(file, text, std::move(context.problems));
  settings.warnings.text = render(file, text, std::move(context.warnings), "warning");
  return settings;
}

namespace {

std::string unreadable(int cause) {
  const char* remedy = "";
  if (cause == ENOENT) remedy = "; name a file that is there, or write a first one for a project: grayd init";
  if (cause == EISDIR) remedy = "; name the file in it";
  if (cause == EACCES) remedy = "; read it as a user who may";
  return "cannot be read: " + std::generic_category().message(cause) + remedy;
}

}  // namespace

LoadedSettings load_settings(const std::string& file, std::string* said) {
  auto text = read_file(file);
  if (!text) return errors(file, "", {{0, 0, unreadable(errno)}});
  if (text->size() > kMostFile) return errors(file, "", {{1, 1, "the file is larger than " + format_size(kMostFile)}});
  auto loaded = parse_settings(*text, file);
  if (said != nullptr) *said = std::move(*text);
  return loaded;
}

KeyForm described_keys(std::string_view text) {
  KeyForm root;
  Settings settings;
  TomlFile context;
  context.folder = "/";
  context.reads_beside = false;
  context.forms = &root;
  read_settings(toml::parse(text), context, settings);
  return root;
}

std::vector<std::string> keys_left_out(std::string_view text) {
  Settings settings;
  TomlFile context;
  context.folder = "/";
  read_settings(toml::parse(text), context, settings);
  std::vector<std::string> names;
  for (const auto& [name, present] : context.keys)
    if (!present) names.push_back(name);
  return names;
}

}  // namespace gray
