#include "supervisor/agenda.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {
const TimePoint kAgendaNow{1h};
}

TEST_CASE("the earliest is next, and what is due stays until it gets another time") {
  Agenda<int> agenda;
  CHECK_FALSE(agenda.next());
  agenda.set(1, kAgendaNow + 3s);
  agenda.set(2, kAgendaNow + 1s);
  agenda.set(3, kAgendaNow + 1s);
  CHECK(agenda.next() == kAgendaNow + 1s);
  CHECK(agenda.due(kAgendaNow).empty());
  CHECK(agenda.due(kAgendaNow + 1s) == std::vector<int>{2, 3});
  CHECK(agenda.due(kAgendaNow + 3s) == std::vector<int>{2, 3, 1});
  agenda.set(2, kAgendaNow + 9s);
  agenda.set(3, std::nullopt);
  CHECK(agenda.due(kAgendaNow + 3s) == std::vector<int>{1});
  CHECK(agenda.size() == 2);
  agenda.set(4, std::nullopt);
  CHECK(agenda.size() == 2);
  agenda.clear();
  CHECK_FALSE(agenda.next());
}

TEST_CASE("after any changes the agenda has exactly the last time of each id") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  Agenda<unsigned> agenda;
  std::map<unsigned, TimePoint> expected;
  for (int i = 0; i < 10'000; ++i) {
    const unsigned id = random() % 20;
    if (random() % 4 == 0) {
      agenda.set(id, std::nullopt);
      expected.erase(id);
    } else {
      const TimePoint at = kAgendaNow + Duration{random() % 50};
      agenda.set(id, at);
      expected[id] = at;
    }
    REQUIRE(agenda.size() == expected.size());
    std::size_t due = 0;
    std::optional<TimePoint> next;
    for (const auto& [known, at] : expected) {
      if (!next || at < *next) next = at;
      due += at <= kAgendaNow + 25ms ? 1 : 0;
    }
    REQUIRE(agenda.next() == next);
    REQUIRE(agenda.due(kAgendaNow + 25ms).size() == due);
  }
}
