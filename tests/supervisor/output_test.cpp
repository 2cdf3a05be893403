#include "supervisor/output.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  OutputTail tail;
  LineRate rate;
  OutputStream stream{tail, rate};
  std::vector<std::string> logged;
  TimePoint now{1h};

  void feed(std::string_view bytes) {
    stream.feed(bytes, now, [this](const std::string& line) { logged.push_back(line); });
  }
  void end() {
    stream.end(now, [this](const std::string& line) { logged.push_back(line); });
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "output is cut into lines, however it arrives, and the last needs no newline") {
  feed("one\ntw");
  feed("o\nthree");
  end();
  CHECK(tail.last(10) == std::vector<std::string>{"one", "two", "three"});
  CHECK(logged == tail.last(10));
}

TEST_CASE_FIXTURE(Fixture, "control characters cannot reach a terminal") {
  feed(std::string_view("a\0b\x1b[2J\tc\r\n", 11));
  CHECK(tail.last(1).front() == "a?b?[2J\tc");
}

TEST_CASE_FIXTURE(Fixture, "the last hundred lines are kept, each at most four kilobytes") {
  for (int i = 0; i < 250; ++i) feed(std::to_string(i) + "\n");
  CHECK(tail.last(1000).size() == 100);
  CHECK(tail.last(1000).front() == "150");
  CHECK(tail.last(2) == std::vector<std::string>{"248", "249"});
  feed(std::string(100'000, 'x') + "\n");
  CHECK(tail.last(1).front().size() == 4096);
}

TEST_CASE_FIXTURE(Fixture, "a flood is logged up to its rate, and what was dropped is told later") {
  for (int i = 0; i < 5000; ++i) feed("flood\n");
  CHECK(logged.size() == LineRate::kPerSecond);
  now += 1s;
  feed("later\n");
  REQUIRE(logged.size() == LineRate::kPerSecond + 2);
  CHECK(logged[logged.size() - 2] == "(4500 lines dropped: more than 500 a second)");
  CHECK(logged.back() == "later");
}
