#include "grayd/journal.hpp"

#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>

#include "tests/grayd/settings_support.hpp"
#include "tests/grayd/temp_folder.hpp"

using namespace gray;
using namespace gray::master;
using control::Verb;
using nlohmann::json;

namespace {

struct JournalFixture {
  test::Folder folder;
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> stay{io.get_executor()};
  Settings settings = test::settings_of(test::web());
  control::EventLog events{folder.path};
  std::uint64_t counter = 0;
  supervisor::OutputTail first{counter}, second{counter};
  Journal journal{io, settings, events, [this] {
                    return std::vector<supervisor::WorkerOutput>{{"web", "v1", "web@v1#0", &first},
                                                                 {"web", "v2", "web@v2#0", &second}};
                  }};

  JournalFixture() {
    tell("", "", "");
    tell("web", "v1", "web@v1#0");
    tell("web", "v2", "web@v2#0");
  }
  void tell(const std::string& service, const std::string& version, const std::string& worker) {
    EventRecord event;
    event.kind = EventKind::worker_started;
    event.service = service;
    event.version = version;
    event.worker = worker;
    events.add(event);
  }
  control::Reply ask(Verb verb, const json& args) {
    control::Reply result;
    int answers = 0;
    journal.call(verb, args, [&](control::Reply reply) {
      result = std::move(reply);
      ++answers;
    });
    while (answers == 0) io.run_one();
    CHECK(answers == 1);
    return result;
  }
  json events_of(const json& args) { return ask(Verb::events, args).body["events"]; }
  json lines_of(const json& args) { return ask(Verb::logs, args).body["lines"]; }
};

std::vector<std::uint64_t> numbers(const json& entries) {
  std::vector<std::uint64_t> result;
  for (const auto& entry : entries) result.push_back(entry["sequence"]);
  return result;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE_FIXTURE(JournalFixture, "events are those after a number, of a service and a version, and the last of them") {
  CHECK(numbers(events_of({})) == Numbers{1, 2, 3});
  CHECK(numbers(events_of({{"after", 1}})) == Numbers{2, 3});
  CHECK(numbers(events_of({{"after", "2"}})) == Numbers{3});
  CHECK(numbers(events_of({{"count", "1"}})) == Numbers{3});
  CHECK(numbers(events_of({{"service", "web"}})) == Numbers{2, 3});
  CHECK(numbers(events_of({{"service", "web"}, {"version", "v1"}})) == Numbers{2});
  const auto reply = ask(Verb::events, {{"count", 0}});
  CHECK(reply.body == json{{"schema_version", 1}, {"events", json::array()}, {"oldest", 1}, {"last", 3}});
}

TEST_CASE_FIXTURE(JournalFixture,
                  "who follows one version is not woken by another, and asks on from the right number") {
  const auto nothing = ask(Verb::events, {{"after", 2}, {"version", "v1"}, {"wait_ms", 1}});
  CHECK(nothing.body["events"].empty());
  CHECK(nothing.body["last"] == 3);
  bool answered = false;
  journal.call(Verb::events, {{"after", 3}, {"wait_ms", 5'000}, {"version", "v1"}}, [&](const control::Reply& reply) {
    CHECK(numbers(reply.body["events"]) == Numbers{5});
    answered = true;
  });
  tell("web", "v2", "web@v2#0");
  io.run_for(Followers::kGlance * 2);
  CHECK_FALSE(answered);
  tell("web", "v1", "web@v1#0");
  while (!answered) io.run_one();
}

TEST_CASE_FIXTURE(JournalFixture, "lines of all workers stand in the order in which they were read") {
  first.push("one", {});
  second.push("two", {.is_error = true, .cut = true, .text = {}});
  first.push("three", {});
  const auto lines = lines_of({});
  REQUIRE(numbers(lines) == Numbers{1, 2, 3});
  CHECK(lines[1] == json{{"sequence", 2},
                         {"number", 1},
                         {"time", "1970-01-01T00:00:00.000Z"},
                         {"service", "web"},
                         {"version", "v2"},
                         {"worker", "web@v2#0"},
                         {"stream", "stderr"},
                         {"cut", true},
                         {"text", "two"}});
  CHECK(numbers(lines_of({{"version", "v1"}})) == Numbers{1, 3});
  CHECK(numbers(lines_of({{"worker", "web@v2#0"}})) == Numbers{2});
  CHECK(numbers(lines_of({{"after", 1}, {"count", 1}})) == Numbers{3});
  CHECK(ask(Verb::logs, {{"after", 3}}).body["last"] == 3);
}

TEST_CASE_FIXTURE(JournalFixture, "an answer with lines is bounded in bytes, too") {
  std::vector<supervisor::OutputTail> tails(20, supervisor::OutputTail(counter));
  for (auto& tail : tails)
    for (int i = 0; i < 100; ++i) tail.push(std::string(4'096, 'x'), {});
  Journal big(io, settings, events, [&] {
    std::vector<supervisor::WorkerOutput> outputs;
    for (const auto& tail : tails) outputs.push_back({"web", "v1", "web@v1#0", &tail});
    return outputs;
  });
  big.call(Verb::logs, {{"count", 1'000}}, [&](const control::Reply& reply) {
    CHECK(reply.body["lines"].size() == Journal::kMostBytes / 4'096);
    CHECK(reply.body["lines"].back()["sequence"] == 2'000);
  });
}

TEST_CASE_FIXTURE(JournalFixture, "what is not there is named with what is near") {
  const auto error = [&](Verb verb, const json& args) {
    const auto reply = ask(verb, args);
    CHECK(reply.code == ExitCode::usage);
    return reply.error;
  };
  CHECK(error(Verb::logs, {{"service", "wbe"}}) == "there is no service \"wbe\", did you mean \"web\"? (known: web)");
  CHECK(error(Verb::logs, {{"service", "web"}, {"version", "v9"}}) ==
        "there is no version of web \"v9\" (known: v1, v2, v3)");
  CHECK(error(Verb::logs, {{"worker", "web@v1#7"}})
            .starts_with("there is no worker \"web@v1#7\", did you mean \"web@v1#0\"?"));
  CHECK(error(Verb::events, {{"service", "wbe"}}).starts_with("there is no service"));
  CHECK(error(Verb::events, {{"count", "many"}}) == "count must be a whole number from 0 to 1000");
  CHECK(error(Verb::events, {{"count", 1'001}}) == "count must be a whole number from 0 to 1000");
  CHECK(error(Verb::events, {{"wait_ms", -1}}) == "wait_ms must be a whole number from 0 to 5000");
  CHECK(error(Verb::events, {{"service", 1}}) == "service must be a string");
}

TEST_CASE_FIXTURE(JournalFixture, "events of a service that was removed can still be asked for") {
  tell("old", "v1", "old@v1#0");
  CHECK(numbers(events_of({{"service", "old"}})) == Numbers{4});
}

TEST_CASE_FIXTURE(JournalFixture, "the end lets nobody wait") {
  journal.end();
  CHECK(ask(Verb::logs, {{"wait_ms", 5'000}}).body["lines"].empty());
}
