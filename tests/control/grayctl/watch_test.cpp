#include "control/grayctl/watch.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>

#include <optional>
#include <sstream>
#include <thread>

#include "control/api/admin_server.hpp"
#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

/// A grayd whose restart of web v1 replaces one more worker at every second status, until `of` are replaced.
struct Restarting {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  std::optional<AdminServer> server;
  Client client{path};
  std::ostringstream err;
  Person person;
  std::atomic<unsigned> looks{0};
  unsigned of = 2;
  std::function<void(unsigned look)> at_look = [](unsigned) {};

  Restarting() {
    daemon.answer = [this](auto&&...) {
      const unsigned look = looks++;
      at_look(look);
      return status(std::min(look / 2, of));
    };
    server.emplace(listener.get(), daemon);
  }
  Reply status(unsigned replaced) const {
    const json restart = {
        {"number", 1}, {"state", replaced < of ? "running" : "done"}, {"replaced", replaced}, {"of", of}};
    const json version = {{"name", "v1"}, {"restart", restart}};
    return {.code = ExitCode::ok,
            .body = {{"schema_version", 1}, {"services", {{{"name", "web"}, {"versions", {version}}}}}},
            .error = {}};
  }
  Watched watch(Duration timeout = Duration{60'000}) {
    return control::watch(client, {Verb::restart, "web", "v1", 1}, {err, person, timeout});
  }
};

}  // namespace

TEST_CASE("the result has the last status; on a pipe each change is one line") {
  Restarting grayd;
  const Watched watched = grayd.watch();
  CHECK(watched.answer.code == ExitCode::ok);
  CHECK(watched.text == "web v1 restarted: 2 of 2 workers replaced");
  CHECK(watched.answer.body["services"][0]["name"] == "web");
  CHECK(grayd.err.str() == "restarting web v1: 0 of 2 workers replaced\nrestarting web v1: 1 of 2 workers replaced\n");
}

TEST_CASE("on a terminal one line is rewritten, fits, and is removed at the end") {
  Restarting grayd;
  grayd.person = {.width = 40, .watches = true};
  grayd.watch();
  const std::string shown = grayd.err.str();
  CHECK(shown.starts_with("\r\x1b[K⠋ restarting web v1: 0 of 2 workers re…"));
  CHECK(contains(shown, "\r\x1b[K⠙ "));
  CHECK(shown.ends_with("\r\x1b[K"));
  CHECK_FALSE(contains(shown, "\n"));
}

TEST_CASE("a timeout reports the progress, that the operation continues, and where to look") {
  Restarting grayd;
  grayd.of = 1'000'000;
  const Watched watched = grayd.watch(Duration{250});
  CHECK(watched.answer.code == ExitCode::timeout);
  CHECK(contains(watched.answer.error,
                 " of 1000000 workers replaced after 250ms; it continues; see: grayctl status web"));
}

TEST_CASE("Ctrl-C ends only the waiting, and the next one is handled as before") {
  Restarting grayd;
  grayd.of = 1'000'000;
  grayd.at_look = [](unsigned look) {
    if (look == 1) ::kill(::getpid(), SIGINT);
  };
  struct sigaction before{};
  ::sigaction(SIGINT, nullptr, &before);
  const Watched watched = grayd.watch();
  CHECK(watched.answer.code == ExitCode::interrupted);
  CHECK(watched.answer.error == "no longer waiting for the restart of web v1; it continues; see: grayctl status web");
  struct sigaction after{};
  ::sigaction(SIGINT, nullptr, &after);
  CHECK((after.sa_handler == before.sa_handler));
}

TEST_CASE("a grayd that disconnects is reported as lost") {
  Restarting grayd;
  grayd.of = 1'000'000;
  grayd.server.reset();
  grayd.listener.reset();
  const Watched watched = grayd.watch();
  CHECK(watched.answer.code == ExitCode::no_daemon);
  CHECK(watched.answer.error.starts_with(
      "lost the connection to grayd; the outcome of the restart of web v1 is unknown: "));
}

TEST_CASE("a grayd that replaces itself may be silent for a while") {
  Restarting grayd;
  grayd.server.reset();
  grayd.daemon.answer = [&grayd](auto&&...) {
    const json one = {{"number", 3}, {"of", "grayd"}, {"state", "done"}, {"text", "it serves"}};
    ++grayd.looks;
    return Reply{.code = ExitCode::ok, .body = {{"schema_version", 1}, {"upgrades", {one}}}, .error = {}};
  };
  int tries = 0;
  const auto cut = [&] {  // the first two calls get no answer
    while (tries < 2) {
      UniqueFd caller(::accept(grayd.listener.get(), nullptr, nullptr));
      if (caller) ++tries;
    }
    grayd.server.emplace(grayd.listener.get(), grayd.daemon);
  };
  ::fcntl(grayd.listener.get(), F_SETFL, 0);
  std::thread cutter(cut);
  const Watched watched =
      control::watch(grayd.client, {Verb::upgrade, "grayd", {}, 3}, {grayd.err, grayd.person, Duration{60'000}});
  cutter.join();
  CHECK(watched.answer.code == ExitCode::ok);
  CHECK(watched.text == "it serves");
  CHECK(tries == 2);
}

TEST_CASE("a long silence counts as its end, and in any other upgrade every silence does") {
  Restarting grayd;
  grayd.server.reset();
  grayd.listener.reset();
  for (const char* of : {"grayd", "router"}) {
    const Watched watched =
        control::watch(grayd.client, {Verb::upgrade, of, {}, 3}, {grayd.err, grayd.person, Duration{300}});
    CHECK(watched.answer.code == ExitCode::no_daemon);
    CHECK(watched.answer.error.starts_with(std::string("lost the connection to grayd; the outcome of the upgrade of ") +
                                           of + " is unknown: "));
  }
}
