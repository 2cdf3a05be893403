#include "control/grayctl/history/history.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <mutex>
#include <sstream>
#include <vector>

#include "control/api/admin_server.hpp"
#include "control/api/admin_socket.hpp"
#include "control/history/audit_table.hpp"
#include "tests/control/fixture.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

json change_numbered(int id) {
  return {{"id", id},
          {"time", "2026-11-30T17:04:45.123Z"},
          {"what", "shift"},
          {"service", "web"},
          {"version", "v2"},
          {"actor", "grayd"},
          {"reason", "number " + std::to_string(id)}};
}

/// A daemon that has one more change at each call, and stops after the third.
struct HistoryServed {
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

  HistoryServed() {
    command.verb = Verb::history;
    command.count = 50;
    daemon.answer = [this](const std::string& verb, const json& args) {
      CHECK(verb == "history");
      const std::lock_guard guard(mutex);
      asked.push_back(args);
      if (conflicts-- > 0) return refused(ExitCode::conflict, "too many callers read the history");
      const int n = static_cast<int>(asked.size());
      if (n > 3) return refused(ExitCode::failed, "grayd is stopping");
      return Reply{ExitCode::ok, {{"entries", json::array({change_numbered(n)})}, {"last", n}}, {}};
    };
  }
  std::vector<json> questions() {
    const std::lock_guard guard(mutex);
    return asked;
  }
};

TEST_CASE_FIXTURE(HistoryServed, "the options are asked for, and the answer is a table") {
  command.service = "web";
  command.version = "v2";
  command.since = wall_time_from("2026-11-30T12:00:00.000Z");
  const auto outcome = run_history(client, command, {.width = 120});
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(contains(outcome.text, "number 1"));
  CHECK(contains(outcome.text, "WEIGHT"));
  CHECK(questions() == std::vector<json>{{{"after", "0"},
                                          {"count", "50"},
                                          {"service", "web"},
                                          {"version", "v2"},
                                          {"since", "2026-11-30T12:00:00.000Z"}}});
}

TEST_CASE_FIXTURE(HistoryServed, "one change, and --verbose, show everything") {
  command.entry = 1;
  CHECK(run_history(client, command, {}).text.starts_with("#1  shift web v2\n"));
  CHECK(questions()[0]["id"] == "1");
  command.entry = 0;
  command.verbose = true;
  CHECK(run_history(client, command, {}).text.starts_with("#2  shift web v2\n"));
}

TEST_CASE_FIXTURE(HistoryServed, "following asks for the changes after the last one, until grayd ends") {
  std::ostringstream out;
  const auto end = follow_history(client, command, false, out, {});
  CHECK(end.code == ExitCode::failed);
  CHECK(end.error == "grayd is stopping");
  for (const char* number : {"number 1\n", "number 2\n", "number 3\n"}) CHECK(contains(out.str(), number));
  const auto all = questions();
  REQUIRE(all.size() == 4);
  CHECK(all[0]["after"] == "0");
  CHECK(all[3]["after"] == "3");
  CHECK(all[3]["count"] == "1000");
}

TEST_CASE_FIXTURE(HistoryServed, "following as JSON is one change per line, and outlasts a busy reader") {
  conflicts = 1;
  std::ostringstream out;
  follow_history(client, command, true, out, {});
  CHECK(json::parse(out.str().substr(0, out.str().find('\n')))["id"] == 2);
}

TEST_CASE_FIXTURE(HistoryServed, "following ends when nobody reads any more") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd writing(ends[1]);
  ::close(ends[0]);
  std::ostringstream out;
  CHECK(follow_history(client, command, false, out, {.fd = writing.get()}).code == ExitCode::ok);
}

TEST_CASE("without a running grayd the file of a state folder is read") {
  TempDir dir;
  {
    auto database = open_audit_table(audit_path(dir.path()));
    for (std::uint64_t i = 1; i <= 3; ++i)
      add_records(database, {{{.service = "web", .what = "shift", .actor = "grayd"}, i}}, 100);
  }
  Client nobody(dir / "none");
  Command command;
  command.verb = Verb::history;
  command.state_dir = dir.path();
  command.count = 2;
  const auto outcome = run_history(nobody, command, {});
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(outcome.answer.body["entries"].size() == 2);
  CHECK(outcome.answer.body["last"] == 3);
  command.state_dir = dir / "elsewhere";
  const auto missing = run_history(nobody, command, {});
  CHECK(missing.answer.code == ExitCode::failed);
  CHECK(contains(missing.answer.error, "there is no history in " + (dir / "elsewhere")));
  write_file(audit_path(dir.path()), std::string(9'000, 'x'));
  command.state_dir = dir.path();
  CHECK(contains(run_history(nobody, command, {}).answer.error, "cannot be read: file is not a database"));
}

}  // namespace
}  // namespace gray::control
