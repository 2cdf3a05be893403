#include "config/settings/version_toml.hpp"

#include <csignal>

#include "tests/config/settings/toml_text.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("a version with a command alone gets every default") {
  const VersionSettings version = loaded(kSmallest).services[0].versions[0];
  VersionSettings expected;
  expected.name = "v1";
  expected.command = {"node"};
  expected.cwd = "/etc/gray";
  CHECK(version == expected);
}

TEST_CASE("every key of a version is read") {
  const VersionSettings version = loaded(with_version(R"(
instances = 3
env = { A = "1", user = "x", memory = "y" }
cwd = "sub/../app"
user = ""
listen = "port"
ready = ["pipe", "ipc", "tcp"]
ready_timeout = "5s"
health.path = "/h"
health.host = "a.example:80"
health.headers = { X-A = "b c" }
health.interval = "2s"
health.timeout = "3s"
health.rise = 4
health.fall = 5
min_healthy = "8s"
stop = { signal = "INT", timeout = "6s" }
drain_timeout = "7s"
memory = "1GiB"
)"))
                                      .services[0]
                                      .versions[0];
  CHECK(version.instances == 3);
  CHECK(version.env == std::map<std::string, std::string>{{"A", "1"}, {"user", "x"}, {"memory", "y"}});
  CHECK(version.cwd == "/etc/gray/app");
  CHECK(!version.ready.automatic);
  CHECK(version.ready.ways == std::vector{ReadyWay::pipe, ReadyWay::ipc, ReadyWay::tcp});
  CHECK(version.ready.timeout == Duration{5'000});
  CHECK(version.health.path == "/h");
  CHECK(version.health.host == "a.example:80");
  CHECK(version.health.headers == std::map<std::string, std::string>{{"X-A", "b c"}});
  CHECK(version.health.interval == Duration{2'000});
  CHECK(version.health.timeout == Duration{3'000});
  CHECK(version.health.rise == 4);
  CHECK(version.health.fall == 5);
  CHECK(version.min_healthy == Duration{8'000});
  CHECK(version.stop.signal == SIGINT);
  CHECK(version.stop.timeout == Duration{6'000});
  CHECK(version.drain_timeout == Duration{7'000});
  CHECK(version.memory == 1ull << 30);
}

TEST_CASE("ready is one method or a list of methods") {
  CHECK(loaded(with_version("ready = 'tcp'")).services[0].versions[0].ready.ways == std::vector{ReadyWay::tcp});
  CHECK(loaded(with_version("ready = 'auto'")).services[0].versions[0].ready == Readiness{});
  CHECK(loaded(with_version("ready = ['auto']")).services[0].versions[0].ready == Readiness{});
  CHECK(loaded(with_version("health = {}")).services[0].versions[0].health == HealthCheck{});
}

TEST_CASE("every readiness method, every way to listen, and the user are read") {
  const auto version = [](const char* lines) { return loaded(with_version(lines)).services[0].versions[0]; };
  CHECK(version("ready = 'notify'").ready.ways == std::vector{ReadyWay::notify});
  const VersionSettings many = version("ready = ['fd:255', 'http']\nhealth = { path = '/h' }");
  CHECK(many.ready.ways == std::vector{ReadyWay::fd, ReadyWay::http});
  CHECK(many.ready.fd == 255);
  CHECK(version("listen = 'unix'\nready = ['tcp', 'fd:3']").listen == ListenMode::unix_path);
  const VersionSettings inheriting = version("ready = 'fd:4'\nlisten = 'socket'\nuser = 'www-data'");
  CHECK(inheriting.listen == ListenMode::inherited);
  CHECK(inheriting.ready.fd == 4);
  CHECK(inheriting.user == "www-data");
}

TEST_CASE("every stop signal is read") {
  const std::pair<const char*, int> rows[] = {{"TERM", SIGTERM}, {"INT", SIGINT},    {"QUIT", SIGQUIT},
                                              {"HUP", SIGHUP},   {"USR1", SIGUSR1},  {"USR2", SIGUSR2},
                                              {"KILL", SIGKILL}, {"WINCH", SIGWINCH}};
  for (const auto& [name, number] : rows) {
    const auto line = std::string("stop = { signal = '") + name + "' }";
    CHECK(loaded(with_version(line)).services[0].versions[0].stop.signal == number);
  }
}

TEST_CASE("the positions of command, user and cwd are kept, and do not affect equality") {
  const VersionSettings version = loaded(with_version("user = 'www'\n  cwd = '/'")).services[0].versions[0];
  CHECK(version.command_at.line == 4);
  CHECK(version.command_at.column == 11);
  CHECK(version.user_at.line == 5);
  CHECK(version.user_at.column == 8);
  CHECK(version.cwd_at.line == 6);
  CHECK(version.cwd_at.column == 9);
  CHECK(loaded(kSmallest).services[0].versions[0].user_at.line == 3);
  CHECK(loaded(kSmallest) == loaded("\n" + kSmallest));
}

TEST_CASE("errors in a version are reported at their position") {
  const std::pair<const char*, const char*> rows[] = {
      {"instances = 0", "instances must be 1 to 256"},
      {"instances = 257", "instances must be 1 to 256"},
      {"env = { A = 1 }", "5:13: error: expected a string, found an integer"},
      {"env = { 'A=B' = '1' }", "\"A=B\" cannot be the name of an environment variable"},
      {"cwd = ''", "\"cwd\" is empty"},
      {"ready = 'ip'", "\"ip\" is not a readiness method"},
      {"ready = 'pip'", "did you mean \"pipe\"?"},
      {"ready = 5", "expected a string or a list of strings, found an integer"},
      {"ready = []", "the list is empty"},
      {"ready = ['auto', 'pipe']", "\"auto\" must be the only method"},
      {"ready = ['pipe', 'pipe']", "5:18: error: \"pipe\" is listed twice"},
      {"ready = 'fd:2'", "\"fd:2\" is not a readiness method"},
      {"ready = 'fd:x'", "\"fd:x\" is not a readiness method"},
      {"ready = 'fd:256'", "\"fd:256\" is not a readiness method: use auto, pipe, notify, ipc, fd:N (N is 3 to 255)"},
      {"ready = ['fd:3', 'fd:4']", "5:18: error: \"fd:4\" is listed twice"},
      {"ready = ['pipe', 'http']", "5:18: error: \"http\" needs a health path: add health = "},
      {"listen = 'socket'\nready = 'tcp'", "6:9: error: \"tcp\" cannot be used with listen = \"socket\""},
      {"ready = ['pipe', 'fd:3']\nlisten = 'socket'", "5:18: error: descriptor 3 is the listening socket"},
      {"listen = 'sockets'", "did you mean \"socket\"?"},
      {"ready_timeout = '0'", "too short"},
      {"min_healthy = '2h'", "\"2h\" is too long: min_healthy must be at most 1h"},
      {"min_healthy = '5'", "a duration needs a unit, such as \"5s\""},
      {"health = { path = 'h' }", "\"h\" is not a path that begins with \"/\""},
      {"health = { path = '/a b' }", "\"/a b\" has a character that a request must not have: write it as %XX"},
      {"health = { host = 'a' }",
       "5:19: error: \"host\" needs a health path, because a TCP connect sends nothing: add "},
      {"health = { headers = { a = 'b' } }", "\"headers\" needs a health path"},
      {"health = { path = '/', host = 'a b' }", "5:31: error: \"a b\" is not a host such as \"example.com\""},
      {"health = { path = '/', host = \"a\\r\\nx: y\" }", "is not a host such as \"example.com\""},
      {"health = { path = '/', host = 'http://a/' }", "is not a host such as \"example.com\""},
      {"health = { path = '/', headers = { host = 'a' } }", "\"host\" is a key of its own: use health = { host = "},
      {"health = { path = '/', headers = { 'a b' = 'c' } }", "\"a b\" cannot be the name of a header"},
      {"health = { path = '/', headers = { a = 'b', A = 'c' } }", "is listed twice"},
      {"health = { path = '/', headers = { a = \"b\\r\\nc: d\" } }", "cannot be the value of a header"},
      {"health = { path = '/', headers = { a = ' b' } }", "cannot be the value of a header"},
      {"health = { path = '/', headers = { a = 1 } }", "expected a string, found an integer"},
      {"health = { rise = 0 }", "rise must be 1 to 100"},
      {"health = { pth = '/' }", "unknown key \"pth\", did you mean \"path\"?"},
      {"health = '/healthz'", "expected a table, found a string"},
      {"stop = { signal = 'SIGTERM' }", "\"SIGTERM\" is not one of \"TERM\", \"INT\""},
      {"stop = { signal = 'TERN' }", "did you mean \"TERM\"?"},
      {"weight = 101", "weight must be a percentage from 0 to 100"},
      {"weight = nan", "weight must be a percentage from 0 to 100"},
      {"weight = '5'", "expected a number, found a string"},
  };
  for (const auto& [line, expected] : rows) {
    const ConfigErrors errors = refused(with_version(line));
    CHECK_MESSAGE(contains(errors.text, expected), line, " gives ", errors.text);
  }
}

TEST_CASE("a version needs a command") {
  const std::string head = "[service.web]\nstable = 'v1'\n[service.web.version.v1]\n";
  CHECK(contains(refused(head).text, ":3:1: error: version \"v1\" has no command"));
  CHECK(contains(refused(head + "command = []").text, "the command is empty"));
  CHECK(contains(refused(head + "command = ['']").text, "the command is empty"));
  CHECK(contains(refused(head + "command = 'node app.js'").text, "expected a list of strings, found a string"));
  CHECK(loaded(head + "command = ['a', '-v', '-v']").services[0].versions[0].command.size() == 3);
}

TEST_CASE("headers of a probe are bounded, and describe neither its body nor its connection") {
  const auto probe = [](const std::string& headers) {
    return with_version("health = { path = '/', headers = { " + headers + " } }");
  };
  for (const char* name : {"Connection", "content-length", "Expect", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding",
                           "Upgrade", "Proxy-Connection"})
    CHECK(contains(refused(probe(name + std::string(" = 'x'"))).text, "a connection of its own: remove it"));
  const auto many = [&](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i == 0 ? "x" : ", x") + std::to_string(i) + " = ''";
    return probe(text);
  };
  CHECK(loaded(many(32)).services[0].versions[0].health.headers.size() == 32);
  CHECK(contains(refused(many(33)).text, "a probe has 33 headers: at most 32 are allowed"));
  const auto long_ones = [&](std::size_t bytes) {
    return probe("a = '" + std::string(4'000, 'x') + "', b = '" + std::string(bytes, 'x') + "'");
  };
  CHECK(loaded(long_ones(4'182)).services[0].versions[0].health.headers.size() == 2);
  CHECK(contains(refused(long_ones(4'183)).text, "have 8193 bytes: at most 8KiB are allowed"));
}

TEST_CASE("a program is started with at most what execve(2) takes") {
  const auto variables = [](std::size_t count) {
    std::string text = "[service.web.version.v1.env]\n";
    for (std::size_t i = 0; i < count; ++i)
      text += "X" + std::to_string(i) + " = '" + std::string(131'000, 'x') + "'\n";
    return text;
  };
  CHECK(loaded(with_version(variables(8))).services[0].versions[0].env.size() == 8);
  CHECK(contains(refused(with_version(variables(9))).text, "bytes: at most 1MiB are allowed"));
  const auto variable = [](std::size_t bytes) { return "env = { XX = '" + std::string(bytes, 'x') + "' }"; };
  CHECK(loaded(with_version(variable(131'068))).services[0].versions[0].env.size() == 1);
  CHECK(contains(refused(with_version(variable(131'069))).text, "has 131069 bytes: at most 131068 are allowed"));
  const std::string path = "health = { path = '/" + std::string(4'096, 'p') + "' }";
  CHECK(contains(refused(with_version(path)).text, "has 4097 bytes: at most 4096 are allowed"));
}
