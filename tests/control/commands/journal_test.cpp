#include "control/commands/journal.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "tests/control/traffic/settings_support.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

/// The output of two workers.
struct Lines final : OutputSource {
  std::vector<OutputLine> first, second;
  std::uint64_t last = 0;

  void add(std::vector<OutputLine>& worker, std::string text, bool is_error = false, bool cut = false) {
    worker.push_back(
        {.sequence = ++last, .number = worker.size() + 1, .is_error = is_error, .cut = cut, .text = std::move(text)});
  }
  static std::vector<const OutputLine*> after(const std::vector<OutputLine>& lines, std::uint64_t sequence) {
    std::vector<const OutputLine*> found;
    for (const auto& line : lines)
      if (line.sequence > sequence) found.push_back(&line);
    return found;
  }
  std::vector<WorkerOutput> outputs(std::uint64_t sequence) const override {
    return {{"web", "v1", "web@v1#0", after(first, sequence)}, {"web", "v2", "web@v2#0", after(second, sequence)}};
  }
};

struct JournalFixture {
  test::Folder folder;
  Settings settings = test::settings_of(test::web());
  EventLog events{folder.path};
  Lines lines;
  Journal journal{settings, events, lines};
  TimePoint now{Duration{1'000}};

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
    journal.changed(now);
  }
  /// Runs until there is nothing to do before `until`.
  void run(TimePoint until) {
    while (journal.due() && *journal.due() <= until) journal.advance(now = *journal.due());
    now = until;
  }
  Reply ask(Verb verb, const json& args) {
    Reply result;
    int answers = 0;
    journal.call(verb, args, now, [&](Reply reply) {
      result = std::move(reply);
      ++answers;
    });
    run(now + Duration{10'000});
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

TEST_CASE_FIXTURE(JournalFixture, "events are selected by number, service, version and count") {
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
                  "a follower of one version is not woken by another, and continues from the right number") {
  const auto nothing = ask(Verb::events, {{"after", 2}, {"version", "v1"}, {"wait_ms", 1}});
  CHECK(nothing.body["events"].empty());
  CHECK(nothing.body["last"] == 3);
  bool answered = false;
  journal.call(Verb::events, {{"after", 3}, {"wait_ms", 5'000}, {"version", "v1"}}, now, [&](const Reply& reply) {
    CHECK(numbers(reply.body["events"]) == Numbers{5});
    answered = true;
  });
  tell("web", "v2", "web@v2#0");
  run(now + Duration{1'000});
  CHECK_FALSE(answered);
  tell("web", "v1", "web@v1#0");
  run(now + LongPolls::kGather);
  CHECK(answered);
}

TEST_CASE_FIXTURE(JournalFixture, "lines of all workers are in the order in which they were read") {
  lines.add(lines.first, "one");
  lines.add(lines.second, "two", true, true);
  lines.add(lines.first, "three");
  const auto found = lines_of({});
  REQUIRE(numbers(found) == Numbers{1, 2, 3});
  CHECK(found[1] == json{{"sequence", 2},
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

TEST_CASE_FIXTURE(JournalFixture, "an answer with lines is also bounded in bytes") {
  for (int i = 0; i < 2'000; ++i) lines.add(lines.first, std::string(4'096, 'x'));
  journal.call(Verb::logs, {{"count", 1'000}}, now, [&](const Reply& reply) {
    CHECK(reply.body["lines"].size() == Journal::kMostBytes / 4'096);
    CHECK(reply.body["lines"].back()["sequence"] == 2'000);
  });
}

TEST_CASE_FIXTURE(JournalFixture, "unknown names are reported with the nearest known ones") {
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

TEST_CASE_FIXTURE(JournalFixture, "at the end all waiting callers are answered") {
  journal.end();
  CHECK(ask(Verb::logs, {{"wait_ms", 5'000}}).body["lines"].empty());
}

TEST_CASE_FIXTURE(
    JournalFixture,
    "a caller that waits for lines is answered a short time after a new one, and there is no look before") {
  bool answered = false;
  journal.call(Verb::logs, {{"wait_ms", 5'000}}, now, [&](const Reply& reply) {
    CHECK(numbers(reply.body["lines"]) == Numbers{1, 2});
    answered = true;
  });
  CHECK(journal.due() == now + Duration{5'000});
  lines.add(lines.first, "one");
  journal.changed(now);
  CHECK(journal.due() == now + LongPolls::kGather);
  lines.add(lines.second, "two");
  journal.changed(now + Duration{1});
  CHECK(journal.due() == now + LongPolls::kGather);
  run(now + LongPolls::kGather);
  CHECK(answered);
  CHECK_FALSE(journal.due());
}
