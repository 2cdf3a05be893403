#include "control/grayctl/orders.hpp"

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

/// A grayd that stops web v2 immediately, if it is confirmed.
struct Stopping {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  std::mutex mutex;
  std::vector<json> orders;
  AdminServer server{listener.get(), daemon};
  Client client{path};
  std::ostringstream err;
  std::istringstream said;
  Person person;
  Command command{.verb = Verb::stop, .service = "web", .version = "v2", .wait = true};

  Stopping() {
    daemon.answer = [this](const std::string& verb, const json& args) {
      return verb == "status" ? status() : order(verb, args);
    };
  }
  json late_stops;
  Reply status() {
    const json version = {{"name", "v2"},
                          {"state", "stopped"},
                          {"stopped", true},
                          {"late_stops", late_stops},
                          {"workers", json::array()}};
    return {.code = ExitCode::ok,
            .body = {{"schema_version", 1}, {"services", {{{"name", "web"}, {"versions", {version}}}}}},
            .error = {}};
  }
  Reply order(const std::string& verb, const json& args) {
    const std::lock_guard guard(mutex);
    orders.push_back({{"verb", verb}, {"args", args}});
    const json body = {{"service", "web"}, {"version", "v2"}};
    if (args.at("yes") == true) return {.code = ExitCode::ok, .body = body, .error = {}};
    return {.code = ExitCode::conflict, .body = {{"confirm", "v2 has users"}}, .error = "v2 has users; say --yes"};
  }
  Outcome run() { return run_order(client, command, person, err); }
  Outcome run_saying(const std::string& answer) {
    said.str(answer);
    person.answers = &said;
    return run();
  }
};

}  // namespace

TEST_CASE("an order is sent to grayd and its end is waited for") {
  Stopping grayd;
  grayd.command.yes = true;
  const Outcome outcome = grayd.run();
  CHECK(outcome.text == "web v2 stopped\n");
  CHECK(outcome.answer.body["state"] == "stopped");
  CHECK(outcome.answer.body["stopped"] == true);
  const json args = {{"service", "web"}, {"version", "v2"}, {"yes", true}};
  CHECK(grayd.orders == std::vector<json>{{{"verb", "stop"}, {"args", args}}});
}

TEST_CASE("workers that had to be killed are reported beside the result") {
  Stopping grayd;
  grayd.command.yes = true;
  grayd.late_stops = {{"workers", 1}, {"last", "worker web@v2#0: it did not end"}};
  const Outcome outcome = grayd.run();
  CHECK(outcome.text == "web v2 stopped\n");
  CHECK(outcome.answer.body["late_stops"]["workers"] == 1);
  CHECK(grayd.err.str() == "grayctl: worker web@v2#0: it did not end\n");
  grayd.err.str("");
  grayd.late_stops["workers"] = 3;
  (void)grayd.run();
  CHECK(grayd.err.str() == "grayctl: 3 workers were killed, the last one: worker web@v2#0: it did not end\n");
}

TEST_CASE("without waiting, the command to look at the status is printed") {
  Stopping grayd;
  grayd.command.yes = true;
  grayd.command.wait = false;
  CHECK(grayd.run().text == "stop of web v2 is in progress; see: grayctl status web\n");
  CHECK(grayd.daemon.calls == 1);
}

TEST_CASE("without a terminal no question is asked") {
  Stopping grayd;
  const Outcome outcome = grayd.run();
  CHECK(outcome.answer.code == ExitCode::conflict);
  CHECK(outcome.answer.error == "v2 has users; say --yes");
  CHECK(grayd.err.str().empty());
}

TEST_CASE("on a terminal a yes is enough, and any other answer means no") {
  for (const char* yes : {"y\n", "Y\n", "yes\n"}) {
    Stopping grayd;
    CHECK(grayd.run_saying(yes).answer.code == ExitCode::ok);
    CHECK(grayd.err.str() == "v2 has users; stop it anyway? [y/N] ");
    CHECK(grayd.orders.size() == 2);
  }
  for (const char* no : {"", "\n", "n\n", "yellow\n"}) {
    Stopping grayd;
    CHECK(grayd.run_saying(no).answer.code == ExitCode::conflict);
    CHECK(grayd.orders.size() == 1);
  }
}
