#include "config/settings/settings_diff.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "tests/config/base/field_count.hpp"

using namespace gray;
using Kind = Change::Kind;

namespace {

VersionSettings version_settings(const std::string& name) {
  VersionSettings version;
  version.name = name;
  version.command = {"node"};
  return version;
}

ServiceSettings service_settings(const std::string& name) {
  ServiceSettings service;
  service.name = name;
  service.stable = "v1";
  service.versions = {version_settings("v1"), version_settings("v2"), version_settings("v3")};
  service.rules = {Rule{.name = "beta", .paths = {"/beta"}}};
  return service;
}

/// Service web: v1 stable, v2 with 5 percent, v3 dark.
Settings base() {
  Settings settings;
  settings.services = {service_settings("web")};
  return settings;
}

std::vector<LiveService> live() { return {{"web", "v1", {{"v1", 0, true}, {"v2", 5, true}, {"v3", 0, true}}}}; }

using Edit = std::function<void(Settings&)>;

Diff after(const Edit& edit) {
  Settings fresh = base();
  edit(fresh);
  return diff(base(), fresh, live());
}

Changes changes(const Edit& edit) {
  const Diff result = after(edit);
  if (const auto* refusal = std::get_if<Refusal>(&result)) FAIL(refusal->message);
  return std::get<Changes>(result);
}

std::string refusal(const Diff& result) {
  REQUIRE(std::holds_alternative<Refusal>(result));
  CHECK(std::get<Refusal>(result).code == ExitCode::conflict);
  return std::get<Refusal>(result).message;
}

bool has_part(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Each field of the settings has a row: the effect of a reload when only that field changes. A field without a row does
// not compile.

template <class Struct>
struct Row {
  const char* field;
  void (*edit)(Struct&);
  const char* outcome;  // as told() writes it; "the same": the field makes no difference between settings
};

const char* word(Kind kind) {
  constexpr const char* kWords[] = {"router", "memory", "certificates", "add service", "add",    "restart",
                                    "update", "resize", "reroute",      "release",     "remove", "remove service"};
  return kWords[static_cast<std::size_t>(kind)];
}

/// "restart web v3, resize web v3", or "refused: " and the reason without the remedy.
std::string told(const Diff& diff) {
  if (const auto* refusal = std::get_if<Refusal>(&diff))
    return "refused: " + refusal->message.substr(0, refusal->message.find(':'));
  std::string text;
  for (const Change& change : std::get<Changes>(diff)) {
    text += (text.empty() ? "" : ", ") + std::string(word(change.kind));
    if (!change.service.empty()) text += " " + change.service;
    if (!change.version.empty()) text += " " + change.version;
  }
  return text.empty() ? "nothing" : text;
}

/// `part` finds in the settings what the rows edit.
template <class Struct, std::size_t count, class Part>
void check_rows(const Row<Struct> (&rows)[count], Part part) {
  static_assert(count == test::field_count<Struct>(), "each field has one row");
  for (const auto& row : rows) {
    INFO(row.field);
    Settings fresh = base();
    row.edit(part(fresh));
    REQUIRE((fresh == base()) == (row.outcome == std::string("the same")));
    CHECK((fresh == base() ? "the same" : told(diff(base(), fresh, live()))) == row.outcome);
  }
}

VersionSettings& dark(Settings& settings) { return settings.services[0].versions[2]; }

const Row<Settings> kSettings[] = {
    {"file", [](Settings& s) { s.file = "/x"; }, "nothing"},
    {"state_dir", [](Settings& s) { s.state_dir = "/x"; }, "refused: a change of state_dir needs a restart"},
    {"access_log", [](Settings& s) { s.access_log = "/x"; }, "refused: a change of access_log needs a restart"},
    {"listen", [](Settings& s) { s.listen.emplace_back(); }, "refused: a change of listen.http needs a restart"},
    {"https", [](Settings& s) { s.https.emplace_back(); }, "refused: a change of listen.https needs a restart"},
    {"tls", [](Settings& s) { s.tls.emplace_back(); }, "certificates"},
    {"proxy_protocol", [](Settings& s) { s.proxy_protocol.emplace_back(); },
     "refused: a change of listen.proxy_protocol needs a restart"},
    {"admin", [](Settings& s) { s.admin = "/x"; }, "refused: a change of listen.admin needs a restart"},
    {"metrics", [](Settings& s) { s.metrics = "::1:1"; }, "refused: a change of listen.metrics needs a restart"},
    {"dashboard", [](Settings& s) { s.dashboard = "::1:1"; }, "refused: a change of listen.dashboard needs a restart"},
    {"page_may_write", [](Settings& s) { s.page_may_write = true; },
     "refused: a change of admin.write needs a restart"},
    {"router", [](Settings& s) { s.router.max_connections = 1; }, "router"},
    {"memory_budget", [](Settings& s) { s.memory_budget = 1; }, "refused: a change of memory.budget needs a restart"},
    {"leak_detection", [](Settings& s) { s.leak_detection = LeakDetection::off; }, "memory"},
    {"services", [](Settings& s) { s.services.push_back({.name = "api"}); }, "add service api"},
    {"warnings", [](Settings& s) { s.warnings.text = "x"; }, "the same"},
};

const Row<RouterSettings> kRouter[] = {
    {"threads", [](RouterSettings& r) { r.threads = 3; }, "refused: a change of router.threads needs a restart"},
    {"trusted_proxies", [](RouterSettings& r) { r.trusted_proxies.emplace_back(); }, "router"},
    {"trusts_unix_peers", [](RouterSettings& r) { r.trusts_unix_peers = true; }, "router"},
    {"max_connections", [](RouterSettings& r) { r.max_connections = 1; }, "router"},
    {"max_connections_per_client", [](RouterSettings& r) { r.max_connections_per_client = 1; }, "router"},
    {"max_requests_per_connection", [](RouterSettings& r) { r.max_requests_per_connection = 1; }, "router"},
    {"h2", [](RouterSettings& r) { r.h2 = false; }, "router"},
    {"h2c", [](RouterSettings& r) { r.h2c = true; }, "router"},
    {"user", [](RouterSettings& r) { r.user = "www"; }, "router"},
    {"user_at", [](RouterSettings& r) { r.user_at = {9, 9}; }, "the same"},
};

const Row<ServiceSettings> kService[] = {
    {"(routing)", [](ServiceSettings& s) { s.param = "y"; }, "reroute web"},
    {"name", [](ServiceSettings& s) { s.name = "x"; }, "refused: service web carries traffic and cannot be removed"},
    {"stable", [](ServiceSettings& s) { s.stable = "v2"; }, "nothing"},
    {"versions", [](ServiceSettings& s) { s.versions.push_back(version_settings("v4")); }, "add web v4"},
    {"release", [](ServiceSettings& s) { s.release.emplace(); }, "release web"},
    {"rollout", [](ServiceSettings& s) { s.rollout.hold = Duration{1}; }, "release web"},
    {"allowlist_source", [](ServiceSettings& s) { s.allowlist_source.file = "/x"; }, "the same"},
};

const Row<ServiceRouting> kRouting[] = {
    {"hosts", [](ServiceRouting& s) { s.hosts = {"x"}; }, "reroute web"},
    {"paths", [](ServiceRouting& s) { s.paths = {"/x"}; }, "reroute web"},
    {"param", [](ServiceRouting& s) { s.param = "x"; }, "reroute web"},
    {"header", [](ServiceRouting& s) { s.header = "x"; }, "reroute web"},
    {"cookie", [](ServiceRouting& s) { s.cookie = "x"; }, "reroute web"},
    {"override_from", [](ServiceRouting& s) { s.override_from.emplace_back(); }, "reroute web"},
    {"identity", [](ServiceRouting& s) { s.identity.emplace_back(); }, "reroute web"},
    {"affinity", [](ServiceRouting& s) { s.affinity = true; }, "reroute web"},
    {"expose", [](ServiceRouting& s) { s.expose = Expose::none; }, "reroute web"},
    {"pin", [](ServiceRouting& s) { s.pin = false; }, "reroute web"},
    {"asset_retry", [](ServiceRouting& s) { s.asset_retry = false; }, "reroute web"},
    {"assets", [](ServiceRouting& s) { s.assets = {"/x"}; }, "reroute web"},
    {"cookie_same_site", [](ServiceRouting& s) { s.cookie_same_site = SameSite::none; }, "reroute web"},
    {"cookie_partitioned", [](ServiceRouting& s) { s.cookie_partitioned = true; }, "reroute web"},
    {"via", [](ServiceRouting& s) { s.via = false; }, "reroute web"},
    {"client_cert", [](ServiceRouting& s) { s.client_cert = true; }, "reroute web"},
    {"allowlist", [](ServiceRouting& s) { s.allowlist.digest = 7; }, "reroute web"},
    {"rules", [](ServiceRouting& s) { s.rules.emplace_back(); }, "reroute web"},
    {"limits", [](ServiceRouting& s) { s.limits = {.queue = 1}; }, "reroute web"},
};

const Row<AllowlistRef> kAllowlist[] = {
    {"version", [](AllowlistRef& a) { a.version = "v1"; }, "reroute web"},
    {"count", [](AllowlistRef& a) { a.count = 1; }, "reroute web"},
    {"digest", [](AllowlistRef& a) { a.digest = 1; }, "reroute web"},
};

const Row<Rule> kRule[] = {
    {"name", [](Rule& r) { r.name = "x"; }, "reroute web"},
    {"version", [](Rule& r) { r.version = "v1"; }, "reroute web"},
    {"fields", [](Rule& r) { r.fields.emplace_back(); }, "reroute web"},
    {"paths", [](Rule& r) { r.paths = {"/x"}; }, "reroute web"},
    {"clients", [](Rule& r) { r.clients.emplace_back(); }, "reroute web"},
};

const Row<Limits> kLimits[] = {
    {"max_sockets", [](Limits& l) { l.max_sockets = 1; }, "reroute web"},
    {"tunnels", [](Limits& l) { l.tunnels = 1; }, "reroute web"},
    {"queue", [](Limits& l) { l.queue = 1; }, "reroute web"},
    {"queue_grows", [](Limits& l) { l.queue_grows = false; }, "reroute web"},
    {"queue_timeout", [](Limits& l) { l.queue_timeout = Duration{1}; }, "reroute web"},
    {"connect_timeout", [](Limits& l) { l.connect_timeout = Duration{1}; }, "reroute web"},
    {"request_timeout", [](Limits& l) { l.request_timeout = Duration{1}; }, "reroute web"},
    {"head_timeout", [](Limits& l) { l.head_timeout = Duration{1}; }, "reroute web"},
    {"idle_timeout", [](Limits& l) { l.idle_timeout = Duration{1}; }, "reroute web"},
    {"upstream_idle", [](Limits& l) { l.upstream_idle = Duration{1}; }, "reroute web"},
    {"tunnel_idle", [](Limits& l) { l.tunnel_idle = Duration{1}; }, "reroute web"},
    {"head", [](Limits& l) { l.head = 1; }, "reroute web"},
    {"fields", [](Limits& l) { l.fields = 1; }, "reroute web"},
    {"body", [](Limits& l) { l.body = 1; }, "reroute web"},
    {"min_rate", [](Limits& l) { l.min_rate = 1; }, "reroute web"},
};

const Row<VersionSettings> kVersion[] = {
    {"name", [](VersionSettings& v) { v.name = "v4"; }, "add web v4, remove web v3"},
    {"command", [](VersionSettings& v) { v.command = {"deno"}; }, "restart web v3"},
    {"instances", [](VersionSettings& v) { v.instances = 4; }, "resize web v3"},
    {"env", [](VersionSettings& v) { v.env["A"] = "1"; }, "restart web v3"},
    {"cwd", [](VersionSettings& v) { v.cwd = "/x"; }, "restart web v3"},
    {"user", [](VersionSettings& v) { v.user = "x"; }, "restart web v3"},
    {"command_at", [](VersionSettings& v) { v.command_at = {9, 9}; }, "the same"},
    {"cwd_at", [](VersionSettings& v) { v.cwd_at = {9, 9}; }, "the same"},
    {"user_at", [](VersionSettings& v) { v.user_at = {9, 9}; }, "the same"},
    {"listen", [](VersionSettings& v) { v.listen = ListenMode::unix_path; }, "restart web v3"},
    {"ready", [](VersionSettings& v) { v.ready = {.automatic = false, .ways = {ReadyWay::tcp}}; }, "restart web v3"},
    {"health", [](VersionSettings& v) { v.health.path = "/h"; }, "update web v3"},
    {"min_healthy", [](VersionSettings& v) { v.min_healthy = Duration{0}; }, "update web v3"},
    {"stop", [](VersionSettings& v) { v.stop.signal = 2; }, "update web v3"},
    {"drain_timeout", [](VersionSettings& v) { v.drain_timeout = Duration{1}; }, "update web v3"},
    {"memory", [](VersionSettings& v) { v.memory = 1; }, "update web v3"},
    {"log_lines", [](VersionSettings& v) { v.log_lines = 1; }, "update web v3"},
    {"weight", [](VersionSettings& v) { v.weight = 50; }, "nothing"},
    {"deployed", [](VersionSettings& v) { v.deployed = true; }, "nothing"},
};

const Row<Readiness> kReadiness[] = {
    {"automatic", [](Readiness& r) { r.automatic = false; }, "restart web v3"},
    {"ways", [](Readiness& r) { r.ways = {ReadyWay::pipe}; }, "restart web v3"},
    {"fd", [](Readiness& r) { r.fd = 3; }, "restart web v3"},
    {"timeout", [](Readiness& r) { r.timeout = Duration{1}; }, "update web v3"},
};

const Row<HttpProbe> kProbe[] = {
    {"path", [](HttpProbe& p) { p.path = "/x"; }, "update web v3"},
    {"host", [](HttpProbe& p) { p.host = "a.example"; }, "update web v3"},
    {"headers", [](HttpProbe& p) { p.headers["x-a"] = "b"; }, "update web v3"},
};

const Row<HealthCheck> kHealth[] = {
    {"(probe)", [](HealthCheck& h) { h.path = "/x"; }, "update web v3"},
    {"interval", [](HealthCheck& h) { h.interval = Duration{1}; }, "update web v3"},
    {"timeout", [](HealthCheck& h) { h.timeout = Duration{1}; }, "update web v3"},
    {"rise", [](HealthCheck& h) { h.rise = 9; }, "update web v3"},
    {"fall", [](HealthCheck& h) { h.fall = 9; }, "update web v3"},
};

const Row<StopPolicy> kStop[] = {
    {"signal", [](StopPolicy& s) { s.signal = 2; }, "update web v3"},
    {"timeout", [](StopPolicy& s) { s.timeout = Duration{1}; }, "update web v3"},
};

}  // namespace

TEST_CASE("equal settings give no change") {
  CHECK(changes([](Settings&) {}).empty());
}

TEST_CASE("each field of the settings has its effect on a reload") {
  check_rows(kSettings, [](Settings& s) -> Settings& { return s; });
  check_rows(kRouter, [](Settings& s) -> RouterSettings& { return s.router; });
  check_rows(kService, [](Settings& s) -> ServiceSettings& { return s.services[0]; });
  check_rows(kRouting, [](Settings& s) -> ServiceRouting& { return s.services[0]; });
  check_rows(kAllowlist, [](Settings& s) -> AllowlistRef& { return s.services[0].allowlist; });
  check_rows(kRule, [](Settings& s) -> Rule& { return s.services[0].rules[0]; });
  check_rows(kLimits, [](Settings& s) -> Limits& { return s.services[0].limits; });
  check_rows(kVersion, dark);
  check_rows(kReadiness, [](Settings& s) -> Readiness& { return dark(s).ready; });
  check_rows(kProbe, [](Settings& s) -> HttpProbe& { return dark(s).health; });
  check_rows(kHealth, [](Settings& s) -> HealthCheck& { return dark(s).health; });
  check_rows(kStop, [](Settings& s) -> StopPolicy& { return dark(s).stop; });
}

TEST_CASE("all keys that need a restart are named together") {
  CHECK(has_part(refusal(after([](Settings& s) { s.admin = s.state_dir = "/x"; })), "listen.admin, state_dir needs"));
}

TEST_CASE("a refusal refuses all changes, also those that could have been applied") {
  CHECK(has_part(refusal(after([](Settings& s) {
                   s.services[0].versions.push_back(version_settings("v4"));
                   s.router.threads = 3;
                 })),
                 "needs a restart"));
}

TEST_CASE("instances are resized, alone or beside another change") {
  CHECK(changes([](Settings& s) { s.services[0].versions[0].instances = 4; }) ==
        Changes{{Kind::resize_version, "web", "v1"}});
  CHECK(changes([](Settings& s) {
          s.services[0].versions[0].instances = 4;
          s.services[0].versions[0].command = {"deno"};
        }) == Changes{{Kind::restart_version, "web", "v1"}, {Kind::resize_version, "web", "v1"}});
}

TEST_CASE("the weight and the stable version of the file are initial values only") {
  CHECK(changes([](Settings& s) {
          s.services[0].versions[1].weight = 50;
          s.services[0].stable = "v2";
        }).empty());
}

TEST_CASE("a new version is started, a dark one that is gone is drained, in this order") {
  CHECK(changes([](Settings& s) { s.services[0].versions[2] = version_settings("v4"); }) ==
        Changes{{Kind::add_version, "web", "v4"}, {Kind::remove_version, "web", "v3"}});
}

TEST_CASE("a version that is stable or weighted at this moment is not removed") {
  CHECK(has_part(refusal(after([](Settings& s) { s.services[0].versions.erase(s.services[0].versions.begin()); })),
                 "version web v1 is stable and cannot be removed: make a different version stable first"));
  CHECK(has_part(refusal(after([](Settings& s) { s.services[0].versions.erase(s.services[0].versions.begin() + 1); })),
                 "grayctl shift web v2 0 first"));
}

TEST_CASE("the former stable version may be removed after a different one was promoted") {
  Settings fresh = base();
  fresh.services[0].stable = "v2";
  fresh.services[0].versions.erase(fresh.services[0].versions.begin());
  const std::vector<LiveService> promoted{{"web", "v2", {{"v1", 0, true}, {"v2", 100, true}, {"v3", 0, true}}}};
  CHECK(std::get<Changes>(diff(base(), fresh, promoted)) == Changes{{Kind::remove_version, "web", "v1"}});
}

TEST_CASE("a new version cannot add a second weight") {
  const Edit add_weighted = [](Settings& s) {
    s.services[0].versions.push_back(version_settings("v4"));
    s.services[0].versions.back().weight = 1;
  };
  CHECK(has_part(refusal(after(add_weighted)), "new version web v4 has a weight while v2 carries traffic"));
  Settings fresh = base();
  add_weighted(fresh);
  std::vector<LiveService> calm = live();
  calm[0].versions[1].weight = 0;
  CHECK(std::get<Changes>(diff(base(), fresh, calm)) == Changes{{Kind::add_version, "web", "v4"}});
}

TEST_CASE("a new service comes with its versions") {
  CHECK(changes([](Settings& s) { s.services.push_back(service_settings("api")); }) ==
        Changes{{Kind::add_service, "api", ""},
                {Kind::add_version, "api", "v1"},
                {Kind::add_version, "api", "v2"},
                {Kind::add_version, "api", "v3"}});
}

TEST_CASE("a service is removed only when none of its versions serves") {
  Settings fresh;
  CHECK(has_part(refusal(diff(base(), fresh, live())),
                 "service web carries traffic and cannot be removed: grayctl stop web v1"));
  std::vector<LiveService> stopped = live();
  for (LiveVersion& one : stopped[0].versions) one.serving = false;
  CHECK(std::get<Changes>(diff(base(), fresh, stopped)) == Changes{{Kind::remove_version, "web", "v1"},
                                                                   {Kind::remove_version, "web", "v2"},
                                                                   {Kind::remove_version, "web", "v3"},
                                                                   {Kind::remove_service, "web", ""}});
  CHECK(std::get<Changes>(diff(base(), fresh, {})).size() == 4);
}

TEST_CASE("old and new versions must fit into the segment together") {
  Settings fresh = base();
  for (int i = 0; i < 62; ++i) fresh.services[0].versions.push_back(version_settings("n" + std::to_string(i)));
  fresh.services[0].versions.erase(fresh.services[0].versions.begin() + 2);
  CHECK(has_part(refusal(diff(base(), fresh, live())), "more than 64"));
  fresh.services[0].versions.pop_back();
  CHECK(std::holds_alternative<Changes>(diff(base(), fresh, live())));
}
