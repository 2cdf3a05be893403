#include "config/settings/service_toml.hpp"

#include "tests/config/settings/toml_text.hpp"

using namespace gray;
using namespace gray::test;

namespace {

/// A version `name` of service `service`, with `lines`.
std::string version(const std::string& service, const std::string& name, const std::string& lines = "") {
  return "[service." + service + ".version." + name + "]\ncommand = ['node']\n" + lines + "\n";
}

std::string service(const std::string& name, const std::string& lines = "") {
  return "[service." + name + "]\nstable = 'v1'\n" + lines + "\n" + version(name, "v1");
}

}  // namespace

TEST_CASE("a service gets every default") {
  const ServiceSettings web = loaded(kSmallest).services[0];
  CHECK(web.name == "web");
  CHECK(web.stable == "v1");
  CHECK(web.param.empty());
  REQUIRE(web.override_from.size() == 2);
  CHECK(web.override_from[0].text() == "0.0.0.0/0");
  CHECK(web.override_from[1].text() == "::/0");
  REQUIRE(web.identity.size() == 3);
  CHECK(web.identity[0].text() == "cookie:uid");
  CHECK(web.identity[1].text() == "header:x-user-id");
  CHECK(web.identity[2].text() == "client-ip");
  CHECK(web.expose == Expose::version);
  CHECK(!web.affinity);
}

namespace {

void rejects(const std::string& text, std::string_view expected) {
  const ConfigErrors errors = refused(text);
  CHECK(errors.count == 1);
  CHECK_MESSAGE(contains(errors.text, expected), errors.text.substr(0, 500));
}

/// `count` items like 'h0.x', each made by `item` from its number.
template <class Make>
std::string items(std::size_t count, Make item) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "'" : ",'") + item(std::to_string(i)) + "'";
  return text + "]";
}

std::string host(const std::string& number) { return "h" + number + ".example"; }
std::string path(const std::string& number) { return "/p" + number; }
std::string network(const std::string& number) {
  return "10." + std::to_string(std::stoi(number) / 256) + "." + std::to_string(std::stoi(number) % 256) + ".0/24";
}

}  // namespace

TEST_CASE("lists and texts of a service have limits, which their errors name") {
  CHECK(loaded(with_service("hosts = " + items(10'000, host))).services[0].hosts.size() == 10'000);
  rejects(with_service("hosts = " + items(10'001, host)), "\"hosts\" has 10001 items: at most 10000 are allowed");
  rejects(with_service("override_from = " + items(10'001, network)), "\"override_from\" has 10001 items");
  CHECK(loaded(with_service("hosts = ['" + std::string(253, 'h') + "']")).services[0].hosts.size() == 1);
  rejects(with_service("hosts = ['" + std::string(254, 'h') + "']"), "the text has 254 bytes: at most 253");
  rejects(with_service("paths = ['/" + std::string(4'096, 'p') + "']"), "the text has 4097 bytes: at most 4096");
  rejects(with_service("param = '" + std::string(257, 'p') + "'"), "the text has 257 bytes: at most 256");
  const auto source = [](const std::string& number) { return "header:x" + number; };
  CHECK(loaded(with_service("identity = " + items(32, source))).services[0].identity.size() == 32);
  rejects(with_service("identity = " + items(33, source)), "\"identity\" has 33 sources: at most 32 are allowed");
}

TEST_CASE("the routes and networks of all services have a limit") {
  const std::string most = "hosts = " + items(50, host) + "\npaths = " + items(1'000, path);
  CHECK(loaded(service("web", most)).services[0].paths.size() == 1'000);
  rejects(service("web", most) + service("api"), "more than 50000 routes in all");
  rejects(service("web", "hosts = " + items(51, host) + "\npaths = " + items(1'000, path)), "more than 50000 routes");
  const auto long_path = [](const std::string& number) { return "/" + number + std::string(4'000, 'x'); };
  rejects(service("web", "paths = " + items(1'100, long_path)), "more than 2MiB of routes in all");
  std::string many;
  for (int i = 0; i < 11; ++i)
    many += service("s" + std::to_string(i),
                    "hosts = ['h" + std::to_string(i) + "']\noverride_from = " + items(10'000, network));
  rejects(many, "more than 100000 networks in override_from in all");
}

TEST_CASE("of thousands of hosts each one that is not the first is reported") {
  const auto second = [](const std::string& number) { return host(std::to_string(9'999 + std::stoi(number))); };
  rejects(service("web", "hosts = " + items(10'000, host)) + service("api", "hosts = " + items(10'000, second)),
          "services \"web\" and \"api\" both match \"" + host("9999") + "\": remove it from one of them");
  const auto twice = [](const std::string& number) { return host(std::to_string(std::stoi(number) / 2)); };
  const ConfigErrors errors = refused(with_service("hosts = " + items(10'000, twice)));
  CHECK(errors.count == 5'000);
  CHECK(contains(errors.text, "\"" + host("77") + "\" is listed twice"));
}

TEST_CASE("every key of a service is read") {
  const ServiceSettings web = loaded(with_service(R"(hosts = ["Example.COM", "[::1]"]
paths = ["/api"]
param = "version"
header = "X-Version"
cookie = "version"
override_from = []
identity = ["header:a"]
affinity = "none"
expose = "decision"
pin = false
asset_retry = false
assets = ["/assets/", "/"]
cookie_same_site = "none"
cookie_partitioned = true
via = false)"))
                                  .services[0];
  CHECK(web.hosts == std::vector<std::string>{"example.com", "[::1]"});
  CHECK(web.paths == std::vector<std::string>{"/api"});
  CHECK(web.param == "version");
  CHECK(web.header == "x-version");
  CHECK(web.cookie == "version");
  CHECK(web.override_from.empty());
  CHECK(web.identity.size() == 1);
  CHECK(web.expose == Expose::decision);
  CHECK_FALSE(web.pin);
  CHECK_FALSE(web.asset_retry);
  CHECK(web.assets == std::vector<std::string>{"/assets", "/"});
  CHECK(web.cookie_same_site == SameSite::none);
  CHECK(web.cookie_partitioned);
  CHECK_FALSE(web.via);
}

TEST_CASE("keys about pages of several versions have defaults and bounds") {
  const ServiceSettings web = loaded(with_service("")).services[0];
  CHECK(web.pin);
  CHECK(web.asset_retry);
  CHECK(web.assets.empty());
  CHECK(web.cookie_same_site == SameSite::lax);
  CHECK_FALSE(web.cookie_partitioned);
  CHECK(web.via);
  rejects(with_service("pin = 'no'"), "expected true or false, found a string");
  rejects(with_service("cookie_same_site = 'None'"), "\"None\" is not one of \"lax\", \"strict\", \"none\"");
  rejects(with_service("assets = ['assets/*']"), "is not a path that begins with \"/\"");
  std::string many = "assets = [";
  for (int i = 0; i < 33; ++i) many += "'/a" + std::to_string(i) + "',";
  rejects(with_service(many + "]"), "\"assets\" has 33 paths: at most 32 are allowed");
}

TEST_CASE("a user may be issued an identity and kept on one worker") {
  const ServiceSettings web =
      loaded(with_service("identity = ['cookie:uid', 'issue:gray']\naffinity = 'identity'")).services[0];
  REQUIRE(web.identity.size() == 2);
  CHECK(web.identity[1] == IdentitySource{IdentitySource::Kind::issued_cookie, "gray"});
  CHECK(web.affinity);
}

TEST_CASE("services and versions keep the order of the file") {
  const Settings settings = loaded(service("z", "hosts = ['z']") + version("z", "a") + service("b", "hosts = ['b']"));
  REQUIRE(settings.services.size() == 2);
  CHECK(settings.services[0].name == "z");
  CHECK(settings.services[0].versions[0].name == "v1");
  CHECK(settings.services[0].versions[1].name == "a");
}

TEST_CASE("errors in a service are reported at their position") {
  const std::pair<const char*, const char*> rows[] = {
      {"hosts = ['a:80']", "4:10: error: \"a:80\" is not a host"},
      {"hosts = ['*.a']", "\"*.a\" is not a host"},
      {"hosts = ['']", "\"\" is not a host"},
      {"hosts = ['[1.2.3.4]']", "is not a host"},
      {"hosts = ['a', 'A']", "\"A\" is listed twice"},
      {"hosts = ['.']", "is not a host"},
      {"hosts = ['a', 'a.']", "\"a.\" is listed twice"},
      {"hosts = ['[::1]', '[0:0::1]']", "\"[0:0::1]\" is listed twice"},
      {"paths = ['/api', '/api//']", "\"/api//\" is listed twice"},
      {"paths = ['/api/*']", "without wildcards"},
      {"hosts = ['*.a']", "without port and wildcards"},
      {"paths = ['api']", "\"api\" is not a path"},
      {"paths = ['/a?b']", "is not a path"},
      {"param = 'a=b'", "cannot be the name of a query parameter"},
      {"header = 'a b'", "cannot be the name of a header"},
      {"cookie = 'a;b'", "cannot be the name of a cookie"},
      {"override_from = ['10.0.0.0/33']", "is not an IP network"},
      {"identity = ['session']", "\"session\" is not a source"},
      {"identity = ['issue:a b']", "\"issue:a b\" is not a source"},
      {"identity = ['issue:']", "\"issue:\" is not a source"},
      {"identity = ['issue:a', 'client-ip']",
       "4:24: error: \"client-ip\" is never reached: \"issue:a\" gives every user an identity"},
      {"identity = ['cookie:u', 'issue:a', 'issue:b', 'header:x']", "4:36: error: \"issue:b\" is never reached"},
      {"identity = ['issue:__Host-gray']", "4:12: error: \"issue:__Host-gray\": browsers accept a cookie of this name"},
      {"identity = ['issue:__Secure-gray']", "choose a different name"},
      {"affinity = 'yes'", "\"yes\" is not one of \"none\", \"identity\""},
      {"expose = 'versions'", "did you mean \"version\"?"},
      {"rules = []", "unknown key \"rules\", did you mean \"rule\"?"},
      {"limit = {}", "unknown key \"limit\", did you mean \"limits\"?"},
  };
  for (const auto& [line, expected] : rows) {
    const ConfigErrors errors = refused(with_service(line));
    CHECK_MESSAGE(contains(errors.text, expected), line, " gives ", errors.text);
    CHECK(errors.count == 1);
  }
}

TEST_CASE("a service needs a version, and a stable one among them") {
  CHECK(contains(refused("[service.web]\nstable = 'v1'\n").text, "1:10: error: service \"web\" has no version"));
  CHECK(contains(refused(version("web", "v1")).text, "service \"web\" has no stable version: add stable = \"v1\""));
  CHECK(contains(refused("[service.web]\nstable = 'v2'\n" + version("web", "v1")).text,
                 "2:10: error: there is no version"));
}

TEST_CASE("names contain only letters, digits, _ and -") {
  const std::string longest(64, 'a');
  CHECK(is_name("Web_1-x"));
  CHECK(is_name(longest));
  CHECK(!is_name(longest + "a"));
  CHECK(!is_name(""));
  CHECK(!is_name("a.b"));
  CHECK(contains(refused("[service.'a b']\nstable = 'v1'\n" + version("'a b'", "v1")).text,
                 "\"a b\" is not a valid name"));
  CHECK(contains(refused(kSmallest + version("web", "'v 2'")).text, "\"v 2\" is not a valid name"));
}

TEST_CASE("one version besides stable may have a weight, and stable none") {
  CHECK(loaded(kSmallest + version("web", "v2", "weight = 5") + version("web", "v3", "weight = 0")).services.size() ==
        1);
  CHECK(contains(refused(kSmallest + version("web", "v2", "weight = 5") + version("web", "v3", "weight = 1.5")).text,
                 "10:10: error: \"v2\" already has a weight"));
  CHECK(contains(refused(with_version("weight = 95")).text, "5:10: error: \"v1\" is stable"));
}

TEST_CASE("no request belongs to two services") {
  CHECK(contains(refused(service("a") + service("b")).text, "services \"a\" and \"b\" both match every host and path"));
  CHECK(contains(
      refused(service("a", "hosts = ['x']\npaths = ['/p']") + service("b", "hosts = ['X']\npaths = ['/p']")).text,
      "both match \"x/p\""));
  CHECK(contains(
      refused(service("a", "hosts = ['x.']\npaths = ['/p/']") + service("b", "hosts = ['x']\npaths = ['/p']")).text,
      "both match \"x/p\""));
  CHECK(contains(refused(service("a") + service("b", "paths = ['/']")).text, "both match every host and path"));
  CHECK(loaded(service("a", "hosts = ['x']") + service("b", "hosts = ['x']\npaths = ['/p']") + service("c"))
            .services.size() == 3);
}

TEST_CASE("versions and instances of all services together have a limit") {
  std::string text = service("web");
  for (int i = 2; i <= 64; ++i) text += version("web", "v" + std::to_string(i));
  CHECK(loaded(text).services[0].versions.size() == 64);
  CHECK(contains(refused(text + version("web", "v65") + version("web", "v66")).text, "more than 64 versions in all"));
  CHECK(refused(text + version("web", "v65") + version("web", "v66")).count == 1);
  const std::string many =
      service("web") + version("web", "v2", "instances = 256") + version("web", "v3", "instances = 255");
  CHECK(loaded(many).services.size() == 1);
  CHECK(contains(refused(many + version("web", "v4")).text, "more than 512 instances in all"));
}

TEST_CASE("a probe sends the first host of its service, unless it has one of its own or sends nothing") {
  const std::string hosts = "hosts = ['Shop.example', 'www.shop.example']\n";
  const auto probe_of = [&](const std::string& lines) {
    return loaded(with_service(lines)).services[0].versions[0].health.host;
  };
  CHECK(probe_of(hosts + "version.v1.health.path = '/'") == "shop.example");
  CHECK(probe_of(hosts + "version.v1.health = { path = '/', host = 'own.example' }") == "own.example");
  CHECK(probe_of(hosts) == "");
  CHECK(probe_of("version.v1.health.path = '/'") == "");
}
