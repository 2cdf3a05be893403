#include "control/state/event_log.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "config/base/archive.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;
using namespace std::chrono_literals;

namespace {

EventRecord event(const std::string& text) {
  EventRecord record;
  record.kind = EventKind::command;
  record.text = text;
  return record;
}

std::vector<std::string> texts(const std::vector<EventRecord>& events) {
  std::vector<std::string> result;
  for (const auto& one : events) result.push_back(one.text);
  return result;
}

using Texts = std::vector<std::string>;

/// Until `check` is true, at most 20 s.
template <typename Check>
bool eventually(Check check) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!check() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  return check();
}

}  // namespace

TEST_CASE("events are numbered from 1, and asked for by number") {
  TempDir dir;
  EventLog log(dir.path());
  CHECK(log.last() == 0);
  CHECK(log.oldest() == 1);
  CHECK(log.after(0).empty());
  for (const auto* text : {"a", "b", "c"}) log.add(event(text));
  CHECK(log.last() == 3);
  CHECK(texts(log.after(0)) == Texts{"a", "b", "c"});
  CHECK(texts(log.after(2)) == Texts{"c"});
  CHECK(log.after(3).empty());
  CHECK(log.after(99).empty());
}

TEST_CASE("the next log continues where the last one ended") {
  TempDir dir;
  {
    EventLog log(dir.path());
    log.add(event("a"));
    log.add(event("b"));
  }
  EventLog log(dir.path());
  CHECK(texts(log.after(0)) == Texts{"a", "b"});
  log.add(event("c"));
  CHECK(log.last() == 3);
}

TEST_CASE("memory holds the last thousand, and a long text is cut") {
  TempDir dir;
  {
    EventLog log(dir.path());
    for (int i = 1; i <= 700; ++i) log.add(event(std::to_string(i)));
  }
  EventLog log(dir.path());
  for (int i = 701; i <= 1'500; ++i) log.add(event(std::to_string(i)));  // fewer than may wait to be written
  CHECK(log.after(0).size() == EventLog::kKept);
  CHECK(log.oldest() == 501);
  log.add(event(std::string(100'000, 'x')));
  CHECK(log.after(1'500).front().text.size() == EventLog::kText);
}

TEST_CASE("the disk holds two files of a bounded size, and a start reads both") {
  TempDir dir;
  constexpr std::size_t kBytes = 4'000;
  {
    EventLog log(dir.path(), kBytes);
    for (int i = 1; i <= 400; ++i) {
      log.add(event("number " + std::to_string(i)));
      if (i % 50 == 0) std::this_thread::yield();
    }
  }
  const auto first = read_file(dir / "events.log.1"), second = read_file(dir / "events.log");
  CHECK(first.size() <= kBytes);
  CHECK(second.size() <= kBytes);
  CHECK(first.size() + second.size() > kBytes);
  EventLog log(dir.path(), kBytes);
  const auto events = log.after(0);
  CHECK(log.last() == 400);
  REQUIRE(events.size() > 20);
  for (std::size_t i = 1; i < events.size(); ++i) CHECK(events[i].sequence == events[i - 1].sequence + 1);
}

TEST_CASE("a damaged line is skipped, and a new line is not appended to a partial one") {
  TempDir dir;
  {
    EventLog log(dir.path());
    log.add(event("a"));
  }
  write_file(dir / "events.log", read_file(dir / "events.log") + "\xff\xfe nonsense\n{}\n[1]\n{\"sequence\":2,\"ti");
  {
    EventLog log(dir.path());
    CHECK(texts(log.after(0)) == Texts{"a"});
    log.add(event("b"));
  }
  EventLog log(dir.path());
  CHECK(texts(log.after(0)) == Texts{"a", "b"});
}

TEST_CASE("text that is not UTF-8, or has line ends, is still one line") {
  TempDir dir;
  {
    EventLog log(dir.path());
    log.add(event("one\ntwo \xff"));
  }
  EventLog log(dir.path());
  REQUIRE(log.after(0).size() == 1);
  CHECK(log.after(0).front().text == "one\ntwo \xef\xbf\xbd");
}

TEST_CASE("events that could not be written are kept in memory, counted, and reported when writing works again") {
  TempDir dir;
  std::filesystem::create_directory(dir / "events.log");
  EventLog log(dir.path());
  log.add(event("a"));
  log.add(event("b"));
  REQUIRE(eventually([&] { return log.dropped() == 2; }));
  CHECK(texts(log.after(0)) == Texts{"a", "b"});

  std::filesystem::remove(dir / "events.log");
  log.add(event("c"));
  REQUIRE(eventually([&] { return log.last() == 4; }));
  const auto events = log.after(3);
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == EventKind::events_lost);
  CHECK(events.front().text == "2 events are missing in " + (dir / "events.log") + ": Is a directory");
  CHECK(log.dropped() == 2);
}

TEST_CASE("a file that was moved away or removed is opened again") {
  TempDir dir;
  {
    EventLog log(dir.path());
    log.add(event("a"));
    REQUIRE(eventually([&] { return !read_file(dir / "events.log").empty(); }));
    std::filesystem::rename(dir / "events.log", dir / "away");
    log.add(event("b"));
    REQUIRE(eventually([&] { return contains(read_file(dir / "events.log"), "\"b\""); }));
    std::filesystem::remove(dir / "events.log");
    log.add(event("c"));
  }
  EventLog log(dir.path());
  CHECK(texts(log.after(0)) == Texts{"c"});
}

TEST_CASE("after an exec, numbers, memory and unwritten events continue") {
  TempDir dir;
  EventLog log(dir.path());
  log.add(event("one"));
  log.add(event("two"));
  log.settle(Duration{20'000});
  CHECK(contains(read_file(dir / "events.log"), "two"));
  Save save;
  save("events", log);
  auto state = nlohmann::json::parse(save.take().dump());
  auto late = state["events"]["kept"].back();
  late["text"] = "three";
  late["sequence"] = 3;
  state["events"]["kept"].push_back(late);
  state["events"]["queue"].push_back(late);  // as if the disk was blocked
  state["events"]["last"] = 3;
  state["events"]["dropped"] = 5;
  Load load(state, std::set<int>());
  EventLog next(dir.path());
  load("events", next);
  CHECK(texts(next.after(0)) == Texts{"one", "two", "three"});
  CHECK(next.dropped() == 5);
  next.settle(Duration{20'000});
  CHECK(contains(read_file(dir / "events.log"), "three"));
  next.add(event("four"));
  CHECK(next.last() == 4);
}
