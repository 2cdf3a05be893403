#pragma once
// The configuration file as plain values, with every default applied and every path made absolute. Contract section 2.2
// names the keys; config/settings/settings_toml.hpp reads them.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/address.hpp"
#include "config/base/place.hpp"
#include "config/base/time.hpp"
#include "config/settings/allowlist.hpp"
#include "config/settings/leak_detection.hpp"
#include "config/settings/limits.hpp"
#include "config/settings/targeting.hpp"
#include "config/settings/tls.hpp"

namespace gray {

enum class Expose : std::uint8_t { none, version, decision };
enum class ListenMode : std::uint8_t { port, unix_path, inherited };
enum class ReadyWay : std::uint8_t { pipe, notify, ipc, fd, tcp, http };
/// The SameSite attribute of a cookie.
enum class SameSite : std::uint8_t { lax, strict, none };
constexpr SameSite last_value(SameSite) { return SameSite::none; }
constexpr Expose last_value(Expose) { return Expose::decision; }
constexpr ListenMode last_value(ListenMode) { return ListenMode::inherited; }
constexpr ReadyWay last_value(ReadyWay) { return ReadyWay::http; }

/// "none", "version", "decision".
const char* name_of(Expose expose);
std::optional<Expose> expose_from(std::string_view name);

/// RFC 9110 5.6.2: a valid name of a header or a cookie.
bool is_token(std::string_view text);

/// A part of the request that identifies the user; the first source that is present wins.
struct IdentitySource {
  enum class Kind : std::uint8_t { cookie, header, client_ip, issued_cookie };
  Kind kind = Kind::client_ip;
  std::string name;  // of the cookie or header; empty for client_ip

  /// "cookie:NAME", "header:NAME", "client-ip" or "issue:NAME"; nothing for any other text.
  static std::optional<IdentitySource> parse(std::string_view text);
  /// In the form that parse() reads.
  std::string text() const;
  bool operator==(const IdentitySource&) const = default;
};

struct Readiness {
  bool automatic = true;       // the `auto` default; `ways` is then empty
  std::vector<ReadyWay> ways;  // first success wins
  int fd = -1;                 // N of "fd:N"
  Duration timeout{60'000};
  template <class Io>
  void archive(Io& io) {
    io("automatic", automatic);
    io("ways", ways);
    io("fd", fd);
    io("timeout", timeout);
  }
  bool operator==(const Readiness&) const = default;
};

/// What a probe sends. A worker may refuse a request that its users would not send, so Host is one that they send.
struct HttpProbe {
  std::string path;                            // "/healthz"; empty: a TCP connect
  std::string host;                            // Host; empty: the address of the worker
  std::map<std::string, std::string> headers;  // further fields
  template <class Io>
  void archive(Io& io) {
    io("path", path);
    io("host", host);
    io("headers", headers);
  }
  bool operator==(const HttpProbe&) const = default;
};

struct HealthCheck : HttpProbe {
  Duration interval{1'000};
  Duration timeout{1'000};
  std::uint32_t rise = 2;  // successes in a row to become healthy, 1..100
  std::uint32_t fall = 3;  // failures in a row to become unhealthy, 1..100
  template <class Io>
  void archive(Io& io) {
    HttpProbe::archive(io);
    io("interval", interval);
    io("timeout", timeout);
    io("rise", rise);
    io("fall", fall);
  }
  bool operator==(const HealthCheck&) const = default;
};

struct StopPolicy {
  int signal = 15;  // SIGTERM
  Duration timeout{10'000};
  template <class Io>
  void archive(Io& io) {
    io("signal", signal);
    io("timeout", timeout);
  }
  bool operator==(const StopPolicy&) const = default;
};

/// Printed, never compared: of settings that are valid, but probably not meant. Each ends with a newline.
struct Warnings {
  std::string text;
  bool operator==(const Warnings&) const { return true; }
};

struct VersionSettings {
  std::string name;
  std::vector<std::string> command;  // command[0] is looked up in the worker's PATH
  std::uint32_t instances = 1;       // 1..256
  std::map<std::string, std::string> env;
  std::string cwd;   // absolute
  std::string user;  // by name; empty: grayd's own
  ListenMode listen = ListenMode::port;
  Readiness ready;
  HealthCheck health;
  Duration min_healthy{5'000};  // a replacement is healthy so long before the old worker drains
  StopPolicy stop;
  Duration drain_timeout{30'000};
  std::uint64_t memory = 0;         // bytes; 0: no limit
  std::uint32_t log_lines = 1'000;  // of its output, kept for each worker
  double weight = 0;                // percent of users, initial value only, 0..100
  bool deployed = false;            // by `grayctl deploy`: it is in the state, not in the file
  Place command_at, cwd_at, user_at;
  /// For config/base/archive.hpp; without the positions, because the file may have changed since.
  template <class Io>
  void archive(Io& io) {
    io("name", name);
    io("command", command);
    io("instances", instances);
    io("env", env);
    io("cwd", cwd);
    io("user", user);
    io("listen", listen);
    io("ready", ready);
    io("health", health);
    io("min_healthy", min_healthy);
    io("stop", stop);
    io("drain_timeout", drain_timeout);
    io("memory", memory);
    io("log_lines", log_lines);
    io("weight", weight);
    io("deployed", deployed);
  }
  bool operator==(const VersionSettings&) const = default;
};

/// How a version that is not in the file is started. config/settings/release.hpp makes its settings.
struct ReleaseSettings {
  VersionSettings form;        // without a name; {version} in its texts stands for the name
  std::uint32_t keep = 2;      // former stables kept for undo, 0..16
  Duration warm{15 * 60'000};  // a former stable runs so long
  bool operator==(const ReleaseSettings&) const = default;
};

/// The steps of a rollout that names none.
struct RolloutSettings {
  static constexpr std::size_t kMaxSteps = 32;
  std::vector<double> steps = {1, 5, 25, 50, 100};  // percents, rising
  Duration hold{2 * 60'000};                        // at each step
  Duration latency{500};                            // a slower answer counts as slow
  bool operator==(const RolloutSettings&) const = default;
};

/// Whether a process started with `a` can continue under `b`: all settings that a process gets at its start are equal.
bool same_process(const VersionSettings& a, const VersionSettings& b);

/// The settings of a service that the routers need unchanged: which requests belong to it, who may choose their
/// version, and the limits. A new key of this kind needs a member and a line in the list here, and a line in
/// service_toml.cpp; reload, routing table and router need no change.
struct ServiceRouting {
  std::vector<std::string> hosts;  // lower case, no port; empty: any
  std::vector<std::string> paths;  // prefixes; empty: any
  std::string param;               // empty: off
  std::string header;              // empty: off
  std::string cookie;              // empty: off
  std::vector<Cidr> override_from;
  std::vector<IdentitySource> identity;
  bool affinity = false;  // a user stays on one worker of a version
  Expose expose = Expose::version;
  bool pin = true;                  // a browser's navigation that names a version by `param` sets `cookie` to it
  bool asset_retry = true;          // an asset that a version does not have is asked for at the other versions
  std::vector<std::string> assets;  // path prefixes of assets, beside those that Sec-Fetch-Dest marks
  SameSite cookie_same_site = SameSite::lax;  // of the cookies that the router sets
  bool cookie_partitioned = false;            // likewise
  bool via = true;                            // requests to workers have Via
  bool client_cert = false;                   // requests without a verified client certificate are refused
  AllowlistRef allowlist;
  std::vector<Rule> rules;  // the first that matches decides
  Limits limits;
  template <class Io>
  void archive(Io& io) {
    io("hosts", hosts);
    io("paths", paths);
    io("param", param);
    io("header", header);
    io("cookie", cookie);
    io("override_from", override_from);
    io("identity", identity);
    io("affinity", affinity);
    io("expose", expose);
    io("pin", pin);
    io("asset_retry", asset_retry);
    io("assets", assets);
    io("cookie_same_site", cookie_same_site);
    io("cookie_partitioned", cookie_partitioned);
    io("via", via);
    io("client_cert", client_cert);
    io("allowlist", allowlist);
    io("rules", rules);
    io("limits", limits);
  }
  bool operator==(const ServiceRouting&) const = default;
};

struct ServiceSettings : ServiceRouting {
  std::string name;
  std::string stable;                     // names one of `versions`; with `release` it may be a deployed one
  std::vector<VersionSettings> versions;  // in the order of the file; in force: the deployed ones follow
  std::optional<ReleaseSettings> release;
  RolloutSettings rollout;
  AllowlistSource allowlist_source;

  const VersionSettings* version(std::string_view wanted) const;
  bool operator==(const ServiceSettings&) const = default;
};

struct RouterSettings {
  std::uint32_t threads = 0;  // 0: one per core; at most segment::kThreads
  std::vector<Cidr> trusted_proxies;
  bool trusts_unix_peers = false;  // "unix" is in trusted_proxies: peers over unix listeners
  std::uint32_t max_connections = 10'000;
  std::uint32_t max_connections_per_client = 1'000;
  std::uint32_t max_requests_per_connection = 10'000;  // the last answer has Connection: close
  bool h2 = true;                                      // TLS clients may speak HTTP/2
  bool h2c = false;                                    // so may plain ones, by prior knowledge
  std::string user;                                    // of the router process; empty: an unprivileged one
  Place user_at;
  template <class Io>
  void archive(Io& io) {
    io("threads", threads);
    io("trusted_proxies", trusted_proxies);
    io("trusts_unix_peers", trusts_unix_peers);
    io("max_connections", max_connections);
    io("max_connections_per_client", max_connections_per_client);
    io("max_requests_per_connection", max_requests_per_connection);
    io("h2", h2);
    io("h2c", h2c);
    io("user", user);
  }
  bool operator==(const RouterSettings&) const = default;
};

struct Settings {
  std::string file;        // absolute path of the configuration file
  std::string state_dir;   // absolute
  std::string access_log;  // absolute; empty: off
  std::vector<Address> listen;
  std::vector<Address> proxy_protocol;  // listeners whose connections begin with a PROXY header
  std::vector<Address> https;           // listeners with TLS
  std::vector<TlsSettings> tls;         // the first one is the default
  std::string admin;                    // absolute path of the admin socket
  std::string metrics;                  // "127.0.0.1:9109"; empty: off
  std::string dashboard;                // "127.0.0.1:9101"; empty: off
  bool page_may_write = false;          // [admin] write
  RouterSettings router;
  std::uint64_t memory_budget = 512ull << 20;  // bytes
  LeakDetection leak_detection = LeakDetection::simple;
  std::vector<ServiceSettings> services;
  Warnings warnings;

  const ServiceSettings* service(std::string_view wanted) const;
  bool operator==(const Settings&) const = default;
};

}  // namespace gray
