#include "control/grayctl/follow.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

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

json an_event(int sequence) {
  return {{"sequence", sequence},
          {"time", "2026-11-23T17:04:45.123Z"},
          {"kind", "worker-ready"},
          {"worker", "web@v1#0"},
          {"text", "number " + std::to_string(sequence)}};
}

/// A daemon that has one more event at each call, and is gone after the third.
struct FollowServed {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  std::mutex mutex;  // the daemon answers on the threads of the server
  std::vector<json> asked;
  int conflicts = 0;  // to begin with
  AdminServer server{listener.get(), daemon};
  Client client{path};
  Command command;

  FollowServed() {
    command.verb = Verb::events;
    daemon.answer = [this](const std::string& verb, const json& args) {
      CHECK(verb == "events");
      const std::lock_guard guard(mutex);
      asked.push_back(args);
      if (conflicts-- > 0) return refused(ExitCode::conflict, "too many follow already");
      const int n = static_cast<int>(asked.size());
      if (n > 3) return refused(ExitCode::failed, "grayd is stopping");
      return Reply{ExitCode::ok, {{"events", {an_event(n)}}, {"oldest", 1}, {"last", n}, {"schema_version", 1}}, {}};
    };
  }
  std::vector<json> questions() {
    const std::lock_guard guard(mutex);
    return asked;
  }
};

}  // namespace

TEST_CASE_FIXTURE(FollowServed, "without -f there is one call, and its answer as text") {
  command.service = "web";
  command.version = "v1";
  command.count = 7;
  std::string text;
  const Answer answer = look_back(client, command, {}, text);
  CHECK(answer.code == ExitCode::ok);
  CHECK(answer.body["events"].size() == 1);
  CHECK(contains(text, "worker-ready         web@v1#0    number 1\n"));
  CHECK(questions() == std::vector<json>{{{"after", "0"}, {"count", "7"}, {"service", "web"}, {"version", "v1"}}});
}

TEST_CASE_FIXTURE(FollowServed, "following asks for the entries after the last one, until grayd ends") {
  std::ostringstream out;
  const Answer end = follow(client, command, false, out, {});
  CHECK(end.code == ExitCode::failed);
  CHECK(contains(end.error, "grayd is stopping"));
  for (const auto* part : {"number 1\n", "number 2\n", "number 3\n"}) CHECK(contains(out.str(), part));
  REQUIRE(questions().size() == 4);
  CHECK_FALSE(questions()[0].contains("wait_ms"));
  CHECK(questions()[3]["after"] == "3");
  CHECK(questions()[3].contains("wait_ms"));
}

TEST_CASE_FIXTURE(FollowServed, "as JSON each event is one line") {
  std::ostringstream out;
  follow(client, command, true, out, {});
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string line; std::getline(lines, line);) CHECK(json::parse(line) == an_event(++count));
  CHECK(count == 3);
}

TEST_CASE_FIXTURE(FollowServed, "too many followers are reported immediately") {
  conflicts = 1;
  std::ostringstream out;
  CHECK(follow(client, command, false, out, {}).code == ExitCode::conflict);
  CHECK(questions().size() == 1);
}

TEST_CASE_FIXTURE(FollowServed, "it ends successfully when the reader closes the output") {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  CHECK(follow(client, command, false, out, {}).code == ExitCode::ok);
  CHECK(questions().size() == 1);
}

namespace {

/// A grayd whose status is the next one of a list at each call; after the last one it refuses.
struct WatchServed {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  std::mutex mutex;
  std::vector<json> statuses;
  std::size_t next = 0;
  AdminServer server{listener.get(), daemon};
  Client client{path};
  Command command;
  std::ostringstream out;

  WatchServed() {
    command.interval = Duration{1};
    daemon.answer = [this](auto&&...) {
      const std::lock_guard guard(mutex);
      if (next == statuses.size()) return refused(ExitCode::denied, "that is all");
      return Reply{ExitCode::ok, statuses[next++], {}};
    };
  }
  void then(double weight, const char* verdict, int requests = 0) {
    const json v1 = {{"name", "v1"}, {"weight", 100 - weight}, {"state", "serving"}, {"verdict", "none"}};
    const json v2 = {
        {"name", "v2"}, {"weight", weight}, {"state", "dark"}, {"verdict", verdict}, {"requests", requests}};
    statuses.push_back({{"services", json::array({{{"name", "web"}, {"stable", "v1"}, {"versions", {v1, v2}}}})}});
  }
  Answer watch(bool as_json = false, const Terminal& terminal = {}) {
    return follow(client, command, as_json, out, terminal);
  }
};

}  // namespace

TEST_CASE_FIXTURE(WatchServed, "the watch of a status has a line for each change, until grayd refuses") {
  then(0, "none");
  then(0, "none", 9);  // not worth a line
  then(20, "insufficient");
  then(20, "worse");
  statuses.push_back({{"services", json::array({{{"name", "web"}, {"versions", json::array()}}})}});
  const Answer end = watch();
  CHECK(end.code == ExitCode::denied);
  CHECK(out.str() ==
        "web v1: 100%, serving, stable\nweb v2: 0%, dark\n"
        "web v1: 80%, serving, stable\nweb v2: 20%, dark, verdict insufficient\n"
        "web v2: 20%, dark, verdict worse\n"
        "web v1: removed\nweb v2: removed\n");
}

TEST_CASE_FIXTURE(WatchServed, "as JSON there is a whole status for each change") {
  then(0, "none");
  then(0, "none", 9);
  then(20, "insufficient");
  watch(true, {.redraws = true});
  std::istringstream lines(out.str());
  std::vector<json> shown;
  for (std::string line; std::getline(lines, line);) shown.push_back(json::parse(line)["services"]);
  CHECK(shown == std::vector<json>{statuses[0]["services"], statuses[2]["services"]});
}

TEST_CASE_FIXTURE(WatchServed, "on a terminal the whole status is redrawn in place") {
  then(0, "none");
  then(0, "none", 9);
  watch(false, {.redraws = true});
  CHECK(contains(out.str(), "SERVICE  VERSION"));
  CHECK(contains(out.str(), "\x1b[J\x1b[4A"));  // the titles, two versions, and the line of grayd
  CHECK(contains(out.str(), "   9    -"));
}

TEST_CASE_FIXTURE(WatchServed, "only one service is watched, if asked for") {
  then(5, "none");
  command.service = "api";
  const Answer end = watch();
  CHECK(end.code == ExitCode::usage);
  CHECK(contains(end.error, "there is no service \"api\""));
}

TEST_CASE_FIXTURE(WatchServed, "a grayd that is silent while it replaces itself is waited for, but not at the start") {
  daemon.answer = [this](auto&&...) {
    const std::lock_guard guard(mutex);
    if (next++ == 0) return refused(ExitCode::failed, "not now");
    return refused(ExitCode::denied, "that is all");
  };
  CHECK(watch().code == ExitCode::failed);
  daemon.answer = [this](auto&&...) {
    const std::lock_guard guard(mutex);
    switch (next++) {
      case 1: return Reply{ExitCode::ok, {{"services", json::array()}}, {}};
      case 2: return refused(ExitCode::failed, "not now");
      default: return refused(ExitCode::denied, "that is all");
    }
  };
  CHECK(watch().code == ExitCode::denied);
  CHECK(next == 4);
}

TEST_CASE_FIXTURE(WatchServed, "the watch ends when nobody reads the output, also without a change") {
  for (int i = 0; i < 3; ++i) then(0, "none");
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd writer(ends[1]);
  ::close(ends[0]);
  command.interval = Duration{600'000};
  CHECK(watch(false, {.fd = writer.get()}).code == ExitCode::ok);
  CHECK(next == 1);
}
