#include "grayd/history.hpp"

#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>
#include <fstream>
#include <optional>

#include "tests/control/traffic/settings_support.hpp"
#include "tests/supervisor/fake_host.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;
using control::Reply;
using control::Verb;
using nlohmann::json;

namespace {

struct HistoryFixture {
  test::Folder folder;
  asio::io_context io;
  Settings settings = test::settings_of(test::web());
  supervisor::FakeHost host{io};
  std::optional<supervisor::Supervisor> workers;
  std::optional<History> history;
  std::vector<Reply> replies;

  HistoryFixture() {
    settings.state_dir = folder.path;
    workers.emplace(io, host, "history_test");
    history.emplace(io, settings, *workers);
  }
  void ask(std::uint64_t wait_ms) {
    history->call(Verb::events, {{"wait_ms", wait_ms}}, [this](Reply reply) { replies.push_back(std::move(reply)); });
  }
  void run_until_answered(std::size_t count) {
    while (replies.size() < count && io.run_one() > 0) {
    }
    REQUIRE(replies.size() == count);
  }
};

}  // namespace

TEST_CASE_FIXTURE(HistoryFixture, "changes are recorded and read, without the main thread waiting for the disk") {
  history->resume();
  history->record({.service = "web", .version = "v2", .what = "shift", .actor = "pid 1, uid 0"});
  history->emit({.kind = EventKind::grayd_started, .text = "grayd 1"});
  history->emit({.kind = EventKind::worker_ready});  // not a change
  history->settle(Duration{20'000});
  history->resume();
  history->call(Verb::history, json::object(), [this](Reply reply) { replies.push_back(std::move(reply)); });
  CHECK(replies.empty());
  const auto work = asio::make_work_guard(io);
  run_until_answered(1);
  CHECK(replies[0].code == ExitCode::ok);
  const auto& entries = replies[0].body["entries"];
  REQUIRE(entries.size() == 2);
  CHECK(entries[0]["what"] == "shift");
  CHECK(entries[1]["what"] == "grayd-started");
  history->call(Verb::history, {{"count", "0"}}, [this](Reply reply) { replies.push_back(std::move(reply)); });
  CHECK(replies[1].code == ExitCode::usage);
}

TEST_CASE_FIXTURE(HistoryFixture, "a damaged history is an event, and grayd goes on") {
  std::ofstream(folder.path / "history.db") << std::string(9'000, 'x');
  history->resume();
  const auto work = asio::make_work_guard(io);
  ask(5'000);
  run_until_answered(1);
  CHECK(replies[0].body["events"][0]["kind"] == "history-failed");
  CHECK(replies[0].body["events"][0]["cause"] == "damaged");
}

TEST_CASE_FIXTURE(HistoryFixture, "an event answers a waiting caller, long before the timeout") {
  ask(5'000);
  CHECK(replies.empty());
  const auto before = Clock::now();
  history->emit({.kind = EventKind::grayd_started});
  run_until_answered(1);
  CHECK(Clock::now() - before < Duration{4'000});
  CHECK(replies[0].body["events"].size() == 1);
}

TEST_CASE_FIXTURE(HistoryFixture, "a caller is answered at its timeout, and then no timer is left") {
  ask(5);
  ask(10);
  history->output_kept();  // no caller waits for this
  run_until_answered(2);
  CHECK(replies[0].body["events"].empty());
  CHECK(io.poll() == 0);
}

TEST_CASE_FIXTURE(HistoryFixture, "end() answers waiting callers, and later ones at once, until resume()") {
  ask(5'000);
  history->end();
  CHECK(replies.size() == 1);
  ask(5'000);
  CHECK(replies.size() == 2);
  history->resume();
  ask(5'000);
  CHECK(replies.size() == 2);
}

TEST_CASE_FIXTURE(HistoryFixture, "a timer that outlives the history does nothing") {
  ask(5);
  history.reset();
  io.run_for(Duration{50});
  CHECK(replies.empty());
}
