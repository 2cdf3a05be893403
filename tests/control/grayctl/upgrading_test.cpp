#include "control/grayctl/upgrading.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <sstream>

#include "control/api/admin_server.hpp"
#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

/// A grayd that replaces its router, and reports it at the second status.
struct Upgrading {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  std::mutex mutex;
  json asked, end = {{"number", 4}, {"of", "router"}, {"state", "done"}, {"text", "router 9 serves"}, {"pid", 9}};
  json begun = {{"number", 4}, {"of", "router"}, {"state", "running"}, {"text", "router 9 starts"}};
  int looks = 0;
  AdminServer server{listener.get(), daemon};
  Client client{path};
  std::ostringstream err;
  Person person;
  Command command{.verb = Verb::upgrade, .part = "router", .wait = true, .timeout = Duration{30'000}};

  Upgrading() {
    daemon.answer = [this](const std::string& verb, const json& args) {
      const std::lock_guard guard(mutex);
      json body = {{"schema_version", 1}, {"state", "serving"}};
      if (verb == "status")
        body["upgrades"] = json::array({++looks == 1 ? begun : end});
      else {
        asked = args;
        body["upgrade"] = {{"number", 4}, {"of", "router"}};
        if (verb == "reload") body["warnings"] = "g.toml:1:2: warning: odd\n";
      }
      return Reply{.code = ExitCode::ok, .body = body, .error = {}};
    };
  }
  Outcome run() { return run_upgrade(client, command, person, err); }
};

}  // namespace

TEST_CASE_FIXTURE(Upgrading, "an upgrade is followed to its end, with a line for each phase") {
  const Outcome outcome = run();
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(outcome.text == "router 9 serves\n");
  CHECK(outcome.answer.body.at("upgrade").at("pid") == 9);
  CHECK(asked == json({{"of", "router"}, {"upgrade_timeout_ms", 30'000}}));
  CHECK(err.str() == "router 9 starts\n");
}

TEST_CASE_FIXTURE(Upgrading, "a failure has the message and exit code of grayd") {
  end["state"] = "failed";
  end["text"] = "no room";
  end["exit_code"] = 5;
  const Outcome outcome = run();
  CHECK(outcome.answer.code == ExitCode::timeout);
  CHECK(outcome.answer.error == "no room");
}

TEST_CASE_FIXTURE(Upgrading, "without waiting, the started upgrade is printed") {
  command.wait = false;
  const Outcome outcome = run();
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(outcome.text == "upgrade of router is in progress; see: grayctl status\n");
  CHECK(looks == 0);
}

TEST_CASE_FIXTURE(Upgrading, "a refused upgrade is not waited for") {
  daemon.answer = [](const std::string&, const json&) { return refused(ExitCode::conflict, "another one"); };
  CHECK(run().answer.code == ExitCode::conflict);
}

TEST_CASE_FIXTURE(Upgrading, "a program is sent as an absolute path") {
  command.part = "grayd";
  command.binary = "/opt/../opt/grayd";
  CHECK(run().answer.code == ExitCode::ok);
  CHECK(asked == json({{"of", "grayd"}, {"upgrade_timeout_ms", 30'000}, {"binary", "/opt/grayd"}}));
}

TEST_CASE_FIXTURE(Upgrading, "a reload with a new router is followed to its end, then its changes are listed") {
  command = {.verb = Verb::reload, .wait = true, .timeout = Duration{30'000}};
  const auto reload = [this] { return run_reload(client, command, person, err); };
  Outcome outcome = reload();
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(outcome.text == "configuration reloaded\ng.toml:1:2: warning: odd\n");
  CHECK(asked == json({{"wait", false}, {"upgrade_timeout_ms", 30'000}}));
  CHECK(err.str() == "router 9 starts\n");
  end["state"] = "failed";
  end["text"] = "no room; the old configuration stays in force";
  outcome = reload();
  CHECK(outcome.answer.code == ExitCode::failed);
  CHECK(outcome.answer.error == "no room; the old configuration stays in force");
  command.wait = false;
  outcome = reload();
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(outcome.text == "reload is in progress; see: grayctl status\ng.toml:1:2: warning: odd\n");
}

TEST_CASE_FIXTURE(Upgrading, "with --wait a reload waits for the restarts that it begins, and only for these") {
  command = {.verb = Verb::reload, .wait = true, .wait_asked = true, .timeout = Duration{30'000}};
  std::string state = "done";
  daemon.answer = [&](const std::string& verb, const json&) {
    const std::lock_guard guard(mutex);
    if (verb != "status") return Reply{.code = ExitCode::ok, .body = {{"changes", {"version web v1: x"}}}, .error = {}};
    const auto version = [](const char* name, json restart) {
      return json{{"name", name}, {"state", "serving"}, {"restart", std::move(restart)}};
    };
    const auto record = [](unsigned number, const std::string& at) {
      return json{{"number", number}, {"state", at}, {"replaced", 0}, {"of", 4}, {"reason", "worker web@v1#4: exit 3"}};
    };
    const bool reloaded = ++looks > 1;
    json v1 = version("v1", reloaded ? record(1, looks > 3 ? state : "running") : json());
    json web = {{"name", "web"}, {"versions", json::array({v1, version("v2", record(7, "failed"))})}};
    json body = {{"state", "serving"}, {"services", json::array({web})}};
    return Reply{.code = ExitCode::ok, .body = body, .error = {}};
  };
  Outcome outcome = run_reload(client, command, person, err);
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(outcome.text == "configuration reloaded\n  version web v1: x\n");
  CHECK(err.str() == "restarting web v1: 0 of 4 workers replaced\n");
  looks = 0;
  state = "failed";
  outcome = run_reload(client, command, person, err);
  CHECK(outcome.answer.code == ExitCode::failed);
  CHECK(outcome.answer.error ==
        "configuration reloaded, but the restart of web v1 stopped after 0 of 4 workers replaced, and the old workers "
        "stay; worker web@v1#4: exit 3");
}
