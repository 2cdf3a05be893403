#include "control/grayctl/release.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <sstream>
#include <vector>

#include "control/api/admin_server.hpp"
#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

/// A grayd with service web: `versions` and `undo` are in its status, `answer` is its reply to an order.
struct Releasing {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  std::mutex mutex;
  std::vector<json> orders;
  json versions = json::array(), undo;
  Reply answer{.code = ExitCode::ok, .body = {{"service", "web"}, {"version", "43"}}, .error = {}};
  AdminServer server{listener.get(), daemon};
  Client client{path};
  std::ostringstream err;
  Person person;
  Command command{.verb = Verb::deploy, .service = "web", .version = "43", .wait = true};

  Releasing() {
    daemon.answer = [this](const std::string& verb, const json& args) {
      const std::lock_guard guard(mutex);
      if (verb == "status") return status();
      json plain = args;
      plain.erase("peer");
      orders.push_back(plain);
      return answer;
    };
  }
  Reply status() const {
    const json web = {{"name", "web"}, {"stable", "v1"}, {"undo", undo}, {"versions", versions}};
    return {.code = ExitCode::ok, .body = {{"schema_version", 1}, {"services", json::array({web})}}, .error = {}};
  }
  void version(const char* state, const char* cause = "") {
    versions = json::array({{{"name", "43"},
                             {"state", state},
                             {"instances", 1},
                             {"cause", cause},
                             {"stopped", false},
                             {"removing", true},
                             {"workers", json::array({{{"id", "web@43#0"}, {"state", "healthy"}}})}}});
  }
};

}  // namespace

TEST_CASE("a deploy waits until the version is up, and says what can be done next") {
  Releasing grayd;
  grayd.version("dark");
  grayd.command.env = {{"A", "1"}};
  const auto outcome = run_deploy(grayd.client, grayd.command, grayd.person, grayd.err);
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(grayd.orders == std::vector<json>{{{"service", "web"}, {"version", "43"}, {"env", {{"A", "1"}}}}});
  CHECK(outcome.text ==
        "web 43 deployed: 1 of 1 workers healthy\nno user gets it yet; next:\n"
        "  grayctl shift web 43 5    a share of the users\n"
        "  grayctl promote web 43    all users; back with: grayctl undo web\n"
        "  grayctl remove web 43     give it up\n");
  CHECK(outcome.answer.body["state"] == "dark");
  CHECK(outcome.answer.body["workers"].size() == 1);
}

TEST_CASE("a deploy with a rollout follows it to its end") {
  Releasing grayd;
  grayd.command.rollout = true;
  grayd.command.wait = false;
  const auto run = [&] {
    return run_deploy_with_rollout(grayd.client, grayd.command, Terminal{}, grayd.person, grayd.err);
  };
  CHECK(run().text == "rollout of web 43 has started; to follow it: grayctl rollout status web --watch\n");
  CHECK(grayd.orders.back() == json{{"service", "web"}, {"version", "43"}, {"rollout", true}});
  grayd.answer = {.code = ExitCode::conflict, .body = {}, .error = "no"};
  CHECK(run().answer.error == "no");
}

TEST_CASE("rollout undo is undo") {
  Command command{.verb = Verb::rollout_undo, .arguments = {{"service", "web"}, {"to", "41"}}};
  const auto undo = as_undo(command);
  CHECK(undo.verb == Verb::undo);
  CHECK(undo.service == "web");
  CHECK(undo.to == "41");
}

TEST_CASE("a deploy that fails says why, with the remedy") {
  Releasing grayd;
  grayd.version("failed", "worker web@43#0: died-before-ready (exit 3); its last lines: \"no database\"");
  const auto outcome = run_deploy(grayd.client, grayd.command, grayd.person, grayd.err);
  CHECK(outcome.answer.code == ExitCode::failed);
  CHECK(outcome.answer.error ==
        "web 43 could not be started; worker web@43#0: died-before-ready (exit 3); its last lines: \"no database\"; "
        "correct it, then: grayctl remove web 43, and deploy it again");
}

TEST_CASE("orders that are not waited for return at once") {
  Releasing grayd;
  grayd.command.wait = false;
  grayd.answer.body["undo"] = {{"number", 1}};
  const auto text = [&](auto run) { return run(grayd.client, grayd.command, grayd.person, grayd.err).text; };
  CHECK(text(run_deploy) == "deploy of web 43 is in progress; see: grayctl status web\n");
  CHECK(text(run_undo) == "undo of web 43 is in progress; see: grayctl status web\n");
  CHECK(text(run_remove) == "remove of web 43 is in progress; see: grayctl status web\n");
}

TEST_CASE("an order that is refused gives its error") {
  Releasing grayd;
  grayd.answer = {.code = ExitCode::conflict, .body = {}, .error = "no"};
  for (auto* run : {run_deploy, run_promote, run_undo, run_remove}) {
    const auto outcome = run(grayd.client, grayd.command, grayd.person, grayd.err);
    CHECK(outcome.answer.code == ExitCode::conflict);
    CHECK(outcome.answer.error == "no");
  }
}

TEST_CASE("a promotion says how to go back") {
  Releasing grayd;
  grayd.answer.body["from"] = "42";
  const auto outcome = run_promote(grayd.client, grayd.command, grayd.person, grayd.err);
  CHECK(outcome.text == "web: all users get 43; back to 42: grayctl undo web\n");
  CHECK(grayd.orders[0] == json{{"service", "web"}, {"version", "43"}, {"yes", false}});
}

TEST_CASE("an undo to a version that runs needs no waiting") {
  Releasing grayd;
  grayd.command.to = "43";
  const auto outcome = run_undo(grayd.client, grayd.command, grayd.person, grayd.err);
  CHECK(outcome.text == "web: all users get 43 again\n");
  CHECK(grayd.orders[0] == json{{"service", "web"}, {"to", "43"}, {"undo_timeout_ms", 600'000}});
}

TEST_CASE("an undo that starts its version is followed to its end") {
  Releasing grayd;
  grayd.answer.body["undo"] = {{"number", 2}};
  grayd.version("starting");
  grayd.undo = {{"number", 2}, {"state", "done"}, {"text", "done"}};
  CHECK(run_undo(grayd.client, grayd.command, grayd.person, grayd.err).text == "web: all users get 43 again\n");
  grayd.undo = {{"number", 2}, {"state", "failed"}, {"text", "it could not be started"}, {"exit_code", 1}};
  const auto outcome = run_undo(grayd.client, grayd.command, grayd.person, grayd.err);
  CHECK(outcome.answer.code == ExitCode::failed);
  CHECK(outcome.answer.error == "it could not be started");
}

TEST_CASE("a removal waits until the version is gone, or for the timeout") {
  Releasing grayd;
  CHECK(run_remove(grayd.client, grayd.command, grayd.person, grayd.err).text == "web 43 drained and removed\n");
  grayd.answer.body["undo_to"] = "42";
  CHECK(run_remove(grayd.client, grayd.command, grayd.person, grayd.err).text ==
        "web 43 drained and removed; undo of web goes back to 42\n");
  grayd.answer.body["undo_to"] = nullptr;
  CHECK(run_remove(grayd.client, grayd.command, grayd.person, grayd.err).text ==
        "web 43 drained and removed; web has no version that undo could go back to\n");
  grayd.version("draining");
  grayd.command.timeout = Duration{10};
  const auto outcome = run_remove(grayd.client, grayd.command, grayd.person, grayd.err);
  CHECK(outcome.answer.code == ExitCode::timeout);
  CHECK(outcome.answer.error ==
        "draining web 43: 1 worker left, 0 requests in flight after 10ms; it continues; see: grayctl status web");
}
