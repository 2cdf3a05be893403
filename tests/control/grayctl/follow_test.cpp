#include "control/grayctl/follow.hpp"

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
