#include "control/grayctl/cli.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <vector>

#include "control/api/admin_server.hpp"
#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

struct Ran {
  int code;
  std::string out, err;
};

Ran grayctl(std::vector<std::string> words) {
  std::vector<const char*> argv{"grayctl"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  std::ostringstream out, err;
  int code = run_grayctl(static_cast<int>(argv.size()), argv.data(), out, err);
  return {code, out.str(), err.str()};
}

/// A daemon, and grayctl with its socket.
struct CliServed {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  AdminServer server{listener.get(), daemon};

  Ran grayctl(std::vector<std::string> words) {
    words.insert(words.begin(), {"--socket", path});
    return ::grayctl(words);
  }
};

Reply status_reply() {
  json service = {
      {"name", "web"}, {"stable", "v1"}, {"versions", {{{"name", "v1"}, {"weight", 100}, {"state", "serving"}}}}};
  json other = service;
  other["name"] = "api";
  return {.code = ExitCode::ok, .body = {{"schema_version", 1}, {"services", {service, other}}}, .error = {}};
}

}  // namespace

TEST_CASE("status prints a table, or the body as JSON") {
  CliServed served;
  served.daemon.answer = [](auto&&...) { return status_reply(); };
  Ran ran = served.grayctl({"status"});
  CHECK(ran.code == 0);
  CHECK(contains(ran.out, "SERVICE"));
  CHECK(contains(ran.out, "web"));
  CHECK(contains(ran.out, "api"));
  CHECK(ran.err.empty());
  CHECK(json::parse(served.grayctl({"status", "-o", "json"}).out) == status_reply().body);
}

TEST_CASE("status of one service shows only this service") {
  CliServed served;
  served.daemon.answer = [](auto&&...) { return status_reply(); };
  CHECK_FALSE(contains(served.grayctl({"status", "web"}).out, "api"));
  json body = json::parse(served.grayctl({"status", "web", "-o", "json"}).out);
  CHECK(body["services"].size() == 1);
  Ran ran = served.grayctl({"status", "wbe"});
  CHECK(ran.code == 2);
  CHECK(contains(ran.err, "grayctl: there is no service \"wbe\", did you mean \"web\"?"));
}

TEST_CASE("shift sends its arguments and prints the result") {
  CliServed served;
  json seen;
  served.daemon.answer = [&](const std::string& verb, const json& args) {
    seen = {verb, args};
    return Reply{.code = ExitCode::ok, .body = {{"weight", 12.5}}, .error = {}};
  };
  Ran ran = served.grayctl({"shift", "web", "v2", "12.5%"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "web: v2 takes 12.5% of the users\n");
  CHECK(seen == json{"shift", {{"service", "web"}, {"version", "v2"}, {"percent", 12.5}, {"yes", false}}});
  ran = served.grayctl({"shift", "web", "v2", "12.5", "-o", "json"});
  CHECK(json::parse(ran.out) == json{{"schema_version", 1}, {"weight", 12.5}});
}

TEST_CASE("health exits 0 or 1, with a line that names the services that are down") {
  CliServed served;
  json args;
  served.daemon.answer = [&](const std::string&, const json& given) {
    args = given;
    return Reply{};
  };
  CHECK(served.grayctl({"health"}).out == "every service is healthy\n");
  CHECK(args == json::object());
  CHECK(served.grayctl({"health", "web"}).out == "web is healthy\n");
  CHECK(args == json{{"service", "web"}});
  served.daemon.answer = [](auto&&...) { return refused(ExitCode::failed, "web: stable v1 has no worker that is up"); };
  Ran ran = served.grayctl({"health"});
  CHECK(ran.code == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err == "grayctl: web: stable v1 has no worker that is up\n");
}

TEST_CASE("reload lists the changes") {
  CliServed served;
  served.daemon.answer = [](auto&&...) {
    return Reply{.code = ExitCode::ok, .body = {{"changes", {"web: v3 is new"}}}, .error = {}};
  };
  CHECK(served.grayctl({"reload"}).out == "configuration reloaded\n  web: v3 is new\n");
  served.daemon.answer = [](auto&&...) { return refused(ExitCode::conflict, "v2 has weight 5"); };
  CHECK(served.grayctl({"reload"}).code == 3);
}

TEST_CASE("reload lists the warnings after the changes") {
  CliServed served;
  served.daemon.answer = [](auto&&...) {
    return Reply{.code = ExitCode::ok,
                 .body = {{"changes", {"web: v3 is new"}}, {"warnings", "g.toml:1:2: warning: odd\n"}},
                 .error = {}};
  };
  CHECK(served.grayctl({"reload"}).out == "configuration reloaded\n  web: v3 is new\ng.toml:1:2: warning: odd\n");
}

TEST_CASE("a verb without a function of its own prints the text of the answer, or that it is done") {
  CliServed served;
  served.daemon.answer = [](auto&&...) { return Reply{ExitCode::ok, {{"schema_version", 1}}, {}}; };
  CHECK(served.grayctl({"metrics"}).out == "done\n");
}

TEST_CASE("metrics are printed as they are") {
  CliServed served;
  served.daemon.answer = [](auto&&...) {
    return Reply{.code = ExitCode::ok, .body = {{"text", "grayd_requests_total 1\n"}}, .error = {}};
  };
  CHECK(served.grayctl({"metrics"}).out == "grayd_requests_total 1\n");
  served.daemon.answer = [](auto&&...) { return refused(ExitCode::failed, "no router"); };
  CHECK(served.grayctl({"metrics"}).code == 1);
}

TEST_CASE("a failure is text on stderr, and with -o json also an object on stdout") {
  CliServed served;
  served.daemon.answer = [](auto&&...) { return refused(ExitCode::conflict, "v3 has weight 5"); };
  Ran ran = served.grayctl({"shift", "web", "v2", "5"});
  CHECK(ran.code == 3);
  CHECK(ran.out.empty());
  CHECK(ran.err == "grayctl: v3 has weight 5\n");
  ran = served.grayctl({"shift", "web", "v2", "5", "-o", "json"});
  CHECK(ran.code == 3);
  CHECK(json::parse(ran.out) == json{{"schema_version", 1}, {"exit_code", 3}, {"error", "v3 has weight 5"}});
  CHECK(ran.err == "grayctl: v3 has weight 5\n");
}

TEST_CASE("an answer that grayctl cannot read is a failure, not a crash") {
  CliServed served;
  served.daemon.answer = [](auto&&...) {
    return Reply{.code = ExitCode::ok, .body = {{"services", {1, 2}}}, .error = {}};
  };
  Ran ran = served.grayctl({"status", "web"});
  CHECK(ran.code == 1);
  CHECK(contains(ran.err, "cannot read the answer of grayd"));
  served.daemon.answer = [](auto&&...) { return Reply{.code = ExitCode::ok, .body = {{"text", 5}}, .error = {}}; };
  CHECK(served.grayctl({"metrics"}).code == 1);
}

TEST_CASE("without a daemon every verb that needs one exits 7 and names the socket") {
  TempDir dir;
  for (std::vector<std::string> words : {std::vector<std::string>{"status"},
                                         {"status", "--wait"},
                                         {"shift", "web", "v2", "5"},
                                         {"health"},
                                         {"health", "--wait"},
                                         {"reload"},
                                         {"metrics"},
                                         {"start", "web", "v1"},
                                         {"stop", "web", "v1"},
                                         {"restart", "web", "v1"},
                                         {"drain", "web", "v1", "--no-wait"}}) {
    words.insert(words.end(), {"--socket", dir / "none.sock"});
    Ran ran = grayctl(words);
    CHECK(ran.code == 7);
    CHECK(contains(ran.err, dir / "none.sock"));
    words.insert(words.end(), {"-o", "json"});
    CHECK(json::parse(grayctl(words).out)["exit_code"] == 7);
  }
}

TEST_CASE("status and health can wait until everything that should be up is up") {
  CliServed served;
  std::atomic<int> looks{0};
  served.daemon.answer = [&](const std::string& verb, const json&) {
    if (verb == "health") return Reply{};
    Reply reply = status_reply();
    if (++looks < 3) reply.body["state"] = "starting";
    for (json& service : reply.body["services"]) {
      service["versions"][0]["instances"] = 1;
      service["versions"][0]["workers"] = {{{"state", "healthy"}}};
    }
    return reply;
  };
  Ran ran = served.grayctl({"status", "web", "--wait"});
  CHECK(ran.code == 0);
  CHECK(contains(ran.out, "SERVICE"));
  CHECK_FALSE(contains(ran.out, "api"));
  CHECK(ran.err == "grayd is starting\n");
  CHECK(served.grayctl({"health", "--wait"}).out == "every service is healthy\n");
  CHECK(served.grayctl({"health", "wbe", "--wait"}).code == 2);
  looks = -1'000'000;
  ran = served.grayctl({"status", "--wait", "--timeout", "150ms", "-o", "json"});
  CHECK(ran.code == 5);
  CHECK(json::parse(ran.out)["error"] == "grayd is starting after 150ms; see: grayctl status");
}

TEST_CASE("completion needs no daemon, nor do the words at a Tab") {
  CHECK(contains(grayctl({"completion", "bash"}).out, "complete -o default -F _grayctl grayctl"));
  CHECK(contains(json::parse(grayctl({"completion", "fish", "-o", "json"}).out)["script"].get<std::string>(), "fish"));
  CHECK(grayctl({"__complete", "sh"}).out == "shift\n");
}

TEST_CASE("usage errors exit 2, as JSON too") {
  Ran ran = grayctl({"shfit", "-o", "json"});
  CHECK(ran.code == 2);
  CHECK(json::parse(ran.out)["exit_code"] == 2);
  CHECK(contains(ran.err, "grayctl: unknown verb \"shfit\""));
  CHECK(grayctl({"plan", "web"}).err == "grayctl: plan is not supported yet\n");
  CHECK(grayctl({"shift", "web", "v2", "101"}).code == 2);
}

TEST_CASE("help and version go to stdout") {
  Ran ran = grayctl({"--help"});
  CHECK(ran.code == 0);
  CHECK(contains(ran.out, "shift"));
  CHECK(ran.err.empty());
  CHECK(contains(grayctl({"version"}).out, "grayctl 0."));
  CHECK(json::parse(grayctl({"version", "-o", "json"}).out)["schema_version"] == 1);
}

TEST_CASE("config check needs no daemon") {
  TempDir dir;
  write_file(dir / "good.toml",
             "[listen]\nhttp = [\"127.0.0.1:8000\"]\n[service.web]\nstable = \"v1\"\n"
             "[service.web.version.v1]\ncommand = [\"true\"]\n");
  Ran ran = grayctl({"config", "check", dir / "good.toml"});
  CAPTURE(ran.err);
  CHECK(ran.code == 0);
  CHECK(ran.out == (dir / "good.toml") + ": ok (1 service, 1 version)\n");
  json body = json::parse(grayctl({"config", "check", dir / "good.toml", "-o", "json"}).out);
  CHECK(body["services"] == 1);
  CHECK(body["versions"] == 1);
  CHECK(body["warnings"] == "");
}

TEST_CASE("config check shows the warnings, and the file is valid") {
  TempDir dir;
  write_file(dir / "odd.toml",
             "[service.web]\nstable = \"v1\"\n[service.web.version.v1]\ncommand = [\"true\"]\n"
             "[service.web.version.v2]\ncommand = [\"true\"]\nweight = 0.05\n");
  const std::string warning = (dir / "odd.toml") + ":7:10: warning: 0.05 % is 1 user in 2000; did you mean 5?\n";
  Ran ran = grayctl({"config", "check", dir / "odd.toml"});
  CHECK(ran.code == 0);
  CHECK(ran.out.starts_with(warning));
  CHECK(ran.out.ends_with((dir / "odd.toml") + ": ok (1 service, 2 versions)\n"));
  ran = grayctl({"config", "check", dir / "odd.toml", "-o", "json"});
  CHECK(ran.code == 0);
  CHECK(json::parse(ran.out)["warnings"].get<std::string>().starts_with(warning));
}

TEST_CASE("config check lists the errors and exits 8") {
  TempDir dir;
  write_file(dir / "bad.toml", "[service.web]\nstabel = \"v1\"\n");
  Ran ran = grayctl({"config", "check", dir / "bad.toml"});
  CHECK(ran.code == 8);
  CHECK(ran.out.empty());
  CHECK(contains(ran.err, (dir / "bad.toml") + ":2:1: error:"));
  ran = grayctl({"config", "check", dir / "missing.toml", "-o", "json"});
  CHECK(ran.code == 8);
  CHECK(contains(json::parse(ran.out)["error"].get<std::string>(), "missing.toml"));
}
