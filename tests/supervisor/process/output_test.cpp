#include "supervisor/process/output.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

struct OutputFixture {
  std::uint64_t counter = 0;
  OutputTail tail{counter};
  LineRate rate;
  OutputStream stream{tail, rate, false};
  std::vector<std::string> logged;
  TimePoint now{1h};
  WallTime wall{2h};

  void feed(std::string_view bytes) {
    stream.feed(bytes, now, wall, [this](const std::string& line) { logged.push_back(line); });
  }
  void end() {
    stream.end(now, wall, [this](const std::string& line) { logged.push_back(line); });
  }
};

}  // namespace

TEST_CASE_FIXTURE(OutputFixture, "output is cut into lines, however it arrives, and the last needs no newline") {
  feed("one\ntw");
  feed("o\nthree");
  end();
  CHECK(tail.last(10) == std::vector<std::string>{"one", "two", "three"});
  CHECK(logged == tail.last(10));
}

TEST_CASE_FIXTURE(OutputFixture, "control characters cannot reach a terminal") {
  feed(std::string_view("a\0b\x1b[2J\tc\r\n", 11));
  CHECK(tail.last(1).front() == "a?b?[2J\tc");
  feed(
      "\xc2\x9b"
      "2J \xe2\x80\xae"
      "txt.exe \xc3\xa4\n");
  CHECK(tail.last(1).front() == "??2J ???txt.exe \xc3\xa4");
}

TEST_CASE_FIXTURE(OutputFixture, "the last lines are kept, bounded in number, in bytes, and each in its length") {
  tail.limit(100);
  for (int i = 0; i < 250; ++i) feed(std::to_string(i) + "\n");
  CHECK(tail.last(1000).size() == 100);
  CHECK(tail.last(1000).front() == "150");
  CHECK(tail.last(2) == std::vector<std::string>{"248", "249"});
  tail.limit(10);
  CHECK(tail.last(1000).front() == "240");
  feed(std::string(100'000, 'x') + "\n");
  CHECK(tail.last(1).front().size() == 4096);
  tail.limit(10'000);
  for (int i = 0; i < 300; ++i) feed(std::string(4'096, 'y') + "\n");
  CHECK(tail.last(1000).size() == OutputTail::kBytes / 4'096);
}

TEST_CASE_FIXTURE(OutputFixture, "a burst of 5,000 lines is logged whole") {
  for (int i = 0; i < 5000; ++i)
    feed("GET /a/long/path/of/some/request 200 12 ms, from client 192.0.2.77 of tenant 12\n");
  CHECK(logged.size() == 5000);
}

TEST_CASE_FIXTURE(OutputFixture, "a flood is logged up to its rate, and dropped lines are reported later") {
  const std::string line(1'023, 'x');
  for (int i = 0; i < 5000; ++i) feed(line + "\n");
  CHECK(logged.size() == 1024);
  now += 1s;
  for (int i = 0; i < 100; ++i) feed(line + "\n");
  REQUIRE(logged.size() == 1024 + 1 + 64);
  CHECK(logged[1024] == "(3976 lines dropped: more than 1MiB at once, or 64KiB a second)");
}

TEST_CASE_FIXTURE(OutputFixture, "a line has its time, its stream, and whether it was cut") {
  feed("one\n" + std::string(5'000, 'x') + "\n");
  OutputStream errors(tail, rate, true);
  wall += 5s;
  errors.feed("two\n", now, wall, [](const std::string&) {});
  const auto lines = tail.after(0);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0]->time == WallTime(2h));
  CHECK(lines[2]->time == WallTime(2h + 5s));
  CHECK_FALSE(lines[0]->is_error);
  CHECK(lines[2]->is_error);
  CHECK_FALSE(lines[0]->cut);
  CHECK(lines[1]->cut);
}

TEST_CASE("lines are numbered within their tail, and in the order of reading over all tails of a counter") {
  std::uint64_t counter = 0;
  OutputTail a(counter), b(counter);
  a.limit(100), b.limit(100);
  for (int i = 0; i < 150; ++i) a.push("a", {}), b.push("b", {});
  CHECK(a.after(0).size() == 100);
  CHECK(a.after(0).front()->number == 51);
  CHECK(a.after(0).front()->sequence == 101);
  CHECK(a.after(297).size() == 1);
  CHECK(b.after(299).front()->number == 150);
  CHECK(b.after(299).front()->sequence == 300);
  CHECK(b.after(300).empty());
}
