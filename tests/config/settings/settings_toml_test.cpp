#include "config/settings/settings_toml.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "tests/config/settings/toml_text.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::test;

namespace {

std::string text_of(const char* file) {
  std::ifstream in(file);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

constexpr const char* kReference = GRAY_SOURCE_DIR "/config/reference.toml";

}  // namespace

TEST_CASE("the smallest file gets every default") {
  const Settings settings = loaded(kSmallest);
  CHECK(settings.file == "/etc/gray/g.toml");
  CHECK(settings.state_dir == "/etc/gray/run/state");
  CHECK(settings.access_log == "/etc/gray/run/access.log");
  CHECK(settings.admin == "/etc/gray/run/grayd.sock");
  REQUIRE(settings.listen.size() == 1);
  CHECK(settings.listen[0].text() == "127.0.0.1:8000");
  CHECK(settings.proxy_protocol.empty());
  CHECK(settings.metrics.empty());
  CHECK(settings.dashboard.empty());
  CHECK_FALSE(settings.page_may_write);
  CHECK(settings.router == RouterSettings{});
  CHECK(settings.memory_budget == 512ull << 20);
  CHECK(settings.leak_detection == LeakDetection::simple);
  REQUIRE(settings.services.size() == 1);
}

TEST_CASE("the top of the file is read") {
  const Settings settings = loaded(R"(
state_dir = "/var/lib/gray/"
access_log = "off"
[listen]
http = ["[::1]:0", "unix:../x.sock"]
proxy_protocol = ["[::1]:0", "unix:p.sock"]
admin = "a.sock"
[router]
threads = 2
trusted_proxies = ["10.0.0.0/8", "unix"]
max_connections = 5
max_connections_per_client = 4
max_requests_per_connection = 3
user = "www"
[memory]
budget = "64MiB"
leak_detection = "advanced"
)" + kSmallest);
  CHECK(settings.state_dir == "/var/lib/gray");
  CHECK(settings.access_log.empty());
  REQUIRE(settings.listen.size() == 2);
  CHECK(settings.listen[0].text() == "[::1]:0");
  CHECK(settings.listen[1].text() == "unix:/etc/x.sock");
  REQUIRE(settings.proxy_protocol.size() == 2);
  CHECK(settings.proxy_protocol[0].text() == "[::1]:0");
  CHECK(settings.proxy_protocol[1].text() == "unix:/etc/gray/p.sock");
  CHECK(settings.admin == "/etc/gray/a.sock");
  CHECK(settings.router.threads == 2);
  CHECK(settings.router.trusted_proxies.size() == 1);
  CHECK(settings.router.trusts_unix_peers);
  CHECK(settings.router.max_connections == 5);
  CHECK(settings.router.max_connections_per_client == 4);
  CHECK(settings.router.max_requests_per_connection == 3);
  CHECK(settings.router.user == "www");
  CHECK(settings.memory_budget == 64ull << 20);
  CHECK(settings.leak_detection == LeakDetection::advanced);
}

TEST_CASE("errors at the top of the file are reported") {
  const std::pair<const char*, const char*> rows[] = {
      {"state_dir = 1", "1:13: error: expected a string, found an integer"},
      {"state_dir = ''", "\"state_dir\" is empty"},
      {"access_log = ''", "name a file, or write \"off\""},
      {"access_log = \"a\\u0000b\"", "NUL"},
      {"statedir = 'x'", "1:1: error: unknown key \"statedir\", did you mean \"state_dir\"?"},
      {"listen = 5", "1:10: error: expected a table, found an integer"},
      {"listen.http = '127.0.0.1:1'", "expected a list of strings, found a string"},
      {"listen.http = []", "no address to listen on"},
      {"listen.http = [8000]", "expected a string, found an integer"},
      {"listen.http = ['localhost:80']", "\"localhost:80\" is not an address"},
      {"listen.http = ['1.2.3.4:5', '1.2.3.4:5']", "1:29: error: \"1.2.3.4:5\" is listed twice"},
      {"listen.http = ['unix:a']\nlisten.admin = './a'", "already uses this socket"},
      {"listen.proxy_protocol = ['80']", "1:26: error: \"80\" is not an address"},
      {"listen.proxy_protocol = ['1.2.3.4:5']",
       "1:25: error: no peer may connect to these addresses: list the load balancers in router"},
      {"listen.proxy_protocol = ['127.0.0.1:8000']", "127.0.0.1:8000 is in use by 127.0.0.1:8000 of listen.http"},
      {"listen.http = ['unix:a']\nlisten.proxy_protocol = ['unix:a']",
       "2:25: error: unix:/etc/gray/a is in use by unix:/etc/gray/a of listen.http"},
      {"listen.proxy_protocol = ['unix:a']\nlisten.admin = './a'", "listen.proxy_protocol already uses this socket"},
      {"listen.metrics = '9109'",
       "1:18: error: \"9109\" is not an address to listen on, such as \"127.0.0.1:9109\"; write \"127.0.0.1:9109\""},
      {"listen.metrics = 'unix:/m'", "not an address"},
      {"listen.dashboard = '9101'",
       "1:20: error: \"9101\" is not an address to listen on, such as \"127.0.0.1:9101\"; write \"127.0.0.1:9101\""},
      {"listen.dashboard = 'unix:/m'", "not an address"},
      {"admin.write = 'yes'", "expected true or false, found a string"},
      {"router.threads = 33", "33 is out of range: threads must be 0 to 32"},
      {"router.threads = -1", "-1 is out of range"},
      {"router.threads = true", "expected an integer, found a boolean"},
      {"router.max_connections = 0", "1 to 1000000"},
      {"router.max_requests_per_connection = 0", "1 to 1000000000"},
      {"router.trusted_proxies = ['x']", "\"x\" is not an IP network"},
      {"router.trusted_proxies = ['unix', 'unix']", "\"unix\" is listed twice"},
      {"memory.budget = '1MiB'", "\"1MiB\" is out of range: budget must be 16MiB to 1048576GiB"},
      {"memory.leak_detection = 'all'", "\"all\""},
      {"memory.budget = 512", "1:17: error: a size needs a unit, such as \"512KiB\""},
      {"memory.budget = '512MB'", "\"512MB\" is not a size"},
      {"memory.budget = 1.5", "expected a size such as \"64KiB\", found a decimal number"},
      {"service = 1979-05-27", "expected a table, found a date or time"},
  };
  for (const auto& [line, expected] : rows) {
    const std::string text = std::string(line) + "\n" + (std::string(line).starts_with("service") ? "" : kSmallest);
    CHECK_MESSAGE(contains(refused(text).text, expected), line, " gives ", refused(text).text);
  }
}

TEST_CASE("trusted peers of the PROXY protocol are required over IP only") {
  CHECK(loaded("listen.proxy_protocol = ['unix:p.sock']\n" + kSmallest).proxy_protocol.size() == 1);
  const std::string trusted = "listen.proxy_protocol = ['127.0.0.1:1']\nrouter.trusted_proxies = ['127.0.0.1']\n";
  CHECK(loaded(trusted + kSmallest).proxy_protocol.size() == 1);
}

TEST_CASE("an admin path that is too long for a unix socket is refused") {
  const std::string line = "listen.admin = '/" + std::string(107, 'a') + "'\n";
  CHECK(contains(refused(line + kSmallest).text, "longer than the 107 bytes"));
}

TEST_CASE("a file without a service is refused") {
  for (const char* text : {"", "[service]\n"}) CHECK(contains(refused(text).text, "error: there is no service"));
}

TEST_CASE("all errors come at once, in the order of the file, each with line and caret") {
  const ConfigErrors errors = refused(R"(state_dri = "x"
[service.web]
stable = "v3"
[service.web.version.v1]
comand = ["node"]
ready_timeout = "10"
)");
  CHECK(errors.count == 5);
  CHECK(errors.text == R"(/etc/gray/g.toml:1:1: error: unknown key "state_dri", did you mean "state_dir"?
  state_dri = "x"
  ^
/etc/gray/g.toml:3:10: error: there is no version "v3": name one of "v1"
  stable = "v3"
           ^
/etc/gray/g.toml:4:1: error: version "v1" has no command: add command = ["PROGRAM", "ARGUMENT"]
  [service.web.version.v1]
  ^
/etc/gray/g.toml:5:1: error: unknown key "comand", did you mean "command"?
  comand = ["node"]
  ^
/etc/gray/g.toml:6:17: error: a duration needs a unit, such as "10s"
  ready_timeout = "10"
                  ^
)");
}

TEST_CASE("a text that is not TOML gives one error at its position") {
  const ConfigErrors errors = refused("[service\nx = 1\n");
  CHECK(errors.count == 1);
  CHECK(contains(errors.text, "/etc/gray/g.toml:1:9: error: "));
  CHECK(refused("a = 1\na = 2\n").count == 1);
}

TEST_CASE("the demo is read") {
  const auto result = load_settings(GRAY_SOURCE_DIR "/config/demo.toml");
  if (const auto* errors = std::get_if<ConfigErrors>(&result)) FAIL(errors->text);
  const Settings& settings = std::get<Settings>(result);
  CHECK(settings.admin == GRAY_SOURCE_DIR "/run/grayd.sock");
  CHECK(settings.listen.at(0).port == 8000);
  const ServiceSettings& web = *settings.service("web");
  CHECK(web.stable == "v1");
  CHECK(web.version("v1")->instances == 2);
  CHECK(web.version("v1")->cwd == GRAY_SOURCE_DIR);
  CHECK(web.version("v1")->health.path == "/healthz");
  CHECK(web.version("v2")->weight == 5.0);
}

TEST_CASE("the reference file has the defaults: without its optional keys the settings are the same") {
  const std::string command = "command = ['node', '../workers/node/hello.js']\n";
  const std::string smallest =
      "[service.web]\nstable = 'v1'\n[service.web.version.v1]\n" + command + "[service.web.version.v2]\n" + command;
  const auto reference = load_settings(kReference);
  if (const auto* errors = std::get_if<ConfigErrors>(&reference)) FAIL(errors->text);
  Settings settings = std::get<Settings>(reference);
  REQUIRE(settings.services[0].release);
  const auto release = *std::exchange(settings.services[0].release, std::nullopt);
  CHECK(std::exchange(settings.services[0].rules, {}).size() == 1);
  CHECK(std::exchange(settings.tls, {}).size() == 1);
  CHECK_FALSE(std::exchange(settings.services[0].limits.queue_grows, true));  // a queue whose size is set does not
  CHECK(settings == std::get<Settings>(parse_settings(smallest, kReference)));
  const auto least = smallest + "[service.web.release]\n" + command + "cwd = 'releases/{version}'\n";
  CHECK(release == std::get<Settings>(parse_settings(least, kReference)).services[0].release);
}

TEST_CASE("the reference has every key that a reader asks for") {
  CHECK(keys_left_out(text_of(kReference)) == std::vector<std::string>{});
  const auto left_out = keys_left_out(kSmallest);
  const std::set<std::string> names(left_out.begin(), left_out.end());
  for (const char* some : {"state_dir", "listen", "listen.http", "service.limits", "limits.queue", "version.weight",
                           "version.health", "health.rise", "stop.signal"})
    CHECK_MESSAGE(names.contains(some), some);
}

TEST_CASE("a relative file name begins in the working directory") {
  const auto result = parse_settings(kSmallest, "sub/g.toml");
  CHECK(std::get<Settings>(result).file == (std::filesystem::current_path() / "sub/g.toml").string());
}

TEST_CASE("a file that cannot be read gives one error with its cause") {
  const auto missing = std::get<ConfigErrors>(load_settings("/nonexistent/g.toml"));
  CHECK(missing.text ==
        "/nonexistent/g.toml: error: cannot be read: No such file or directory; name a file that is there, or "
        "write a first one for a project: grayd init\n");
  CHECK(missing.count == 1);
  CHECK(contains(std::get<ConfigErrors>(load_settings("/")).text, "Is a directory; name the file in it"));
}

TEST_CASE("a file is read from disk") {
  const test::Folder folder;
  const std::string file = folder.path / "g.toml";
  std::ofstream(file) << kSmallest;
  const auto result = load_settings(file);
  REQUIRE(std::holds_alternative<Settings>(result));
  CHECK(std::get<Settings>(result).state_dir == folder.path / "run/state");
}

TEST_CASE("addresses, paths and the file have limits") {
  const auto listeners = [](int count) {
    std::string text = "[listen]\nhttp = [";
    for (int i = 0; i < count; ++i) text += "'127.0.0.1:" + std::to_string(2'000 + i) + "',";
    return text + "]\n" + kSmallest;
  };
  CHECK(loaded(listeners(64)).listen.size() == 64);
  CHECK(contains(refused(listeners(65)).text, "\"http\" has 65 addresses: at most 64 are allowed"));
  const auto in_folder = [](std::size_t bytes) {
    return "state_dir = '/" + std::string(bytes - 1, 'd') + "'\n" + kSmallest;
  };
  CHECK(loaded(in_folder(3'840)).state_dir.size() == 3'840);
  CHECK(contains(refused(in_folder(3'841)).text, "the path has 3841 bytes with its folder: at most 3840 are allowed"));
  const test::Folder folder;
  const std::string file = folder.path / "g.toml";
  std::ofstream(file) << kSmallest << "# " << std::string(16 << 20, 'x');
  const auto result = load_settings(file);
  CHECK(std::get<ConfigErrors>(result).text.starts_with(file + ":1:1: error: the file is larger than 16MiB\n"));
}
