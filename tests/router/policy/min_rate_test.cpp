#include "router/policy/min_rate.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace gray;
using policy::MinRate;

namespace {

constexpr Duration kTick{1'000};

/// A client that is sampled once a second. `bytes(second)`: bytes moved in that second; `waited_for(second)`: whether
/// the exchange waits for the client at its end. Returns the second in which it is too slow; 0: not within `seconds`.
int cut_after(
    int seconds, std::uint64_t rate, const std::function<std::uint64_t(int)>& bytes,
    const std::function<bool(int)>& waited_for = [](int) { return true; }) {
  MinRate client;
  TimePoint now{Duration{1'000'000}};
  std::uint64_t moved = 0;
  if (client.too_slow(now, moved, waited_for(0), rate)) return -1;
  for (int second = 1; second <= seconds; ++second) {
    now += kTick;
    moved += bytes(second);
    if (client.too_slow(now, moved, waited_for(second), rate)) return second;
  }
  return 0;
}

std::uint64_t nothing(int) { return 0; }

}  // namespace

TEST_CASE("no client is too slow in the first 30 s; after that one that moves nothing is") {
  CHECK(cut_after(100, 1024, nothing) == 30);
  CHECK(cut_after(100, 1, nothing) == 30);
}

TEST_CASE("the rate is a bound: exactly that many bytes are enough, one less is not") {
  CHECK(cut_after(1'000, 1024, [](int) { return 1024u; }) == 0);
  CHECK(cut_after(1'000, 1024, [](int second) { return second == 17 ? 1023u : 1024u; }) == 30);
  CHECK(cut_after(1'000, 1024, [](int) { return 1023u; }) == 30);
  CHECK(cut_after(1'000, 1ull << 50, [](int) { return 1ull << 50; }) == 0);
  CHECK(cut_after(1'000, 1ull << 50, [](int) { return (1ull << 50) - (1ull << 20); }) == 30);
}

TEST_CASE("the average counts, not how evenly the bytes come") {
  CHECK(cut_after(1'000, 1024, [](int second) { return second % 15 == 0 ? 15 * 1024u : 0u; }) == 0);
}

TEST_CASE("a client that becomes slow is found within one and a half windows") {
  for (int last = 1; last < 60; ++last) {
    CAPTURE(last);
    const int cut = cut_after(1'000, 1024, [&](int second) { return second <= last ? 100'000u : 0u; });
    CHECK(cut > last + 14);
    CHECK(cut <= last + 45);
  }
}

TEST_CASE("bytes of the beginning do not count for ever") {
  CHECK(cut_after(1'000, 1024, [](int second) { return second == 1 ? 1u << 30 : 1u; }) == 45);
}

TEST_CASE("time in which the client is not waited for does not count") {
  CHECK(cut_after(10'000, 1024, nothing, [](int) { return false; }) == 0);
  // Waited for at every other sample: no second counts.
  CHECK(cut_after(10'000, 1024, nothing, [](int second) { return second % 2 == 0; }) == 0);
  // Ten seconds count for the client, then a minute does not: three times ten make a window.
  CHECK(cut_after(10'000, 1024, nothing, [](int second) { return second % 70 <= 10; }) == 150);
}

TEST_CASE("bytes that are moved without waiting count too") {
  const auto waited_for = [](int second) { return second % 70 <= 10; };
  CHECK(cut_after(10'000, 1024, [](int second) { return second % 70 > 10 ? 1024u : 0u; }, waited_for) == 0);
}

TEST_CASE("a rate of zero asks only for any progress") {
  CHECK(cut_after(1'000, 0, [](int second) { return second % 15 == 1 ? 1u : 0u; }) == 0);
  CHECK(cut_after(1'000, 0, nothing) == 30);
}

TEST_CASE("a sum that falls, because framing was added to the unsent bytes, counts as no progress") {
  MinRate client;
  TimePoint now{Duration{1'000}};
  const auto look = [&](std::uint64_t moved) {
    now += Duration{15'000};
    return client.too_slow(now, moved, true, 10);
  };
  CHECK_FALSE(look(500));
  CHECK_FALSE(look(490));
  CHECK_FALSE(look(495));
  CHECK(look(500));
}

TEST_CASE("samples may be far apart, and the window may change") {
  MinRate client;
  TimePoint now{Duration{1'000}};
  CHECK_FALSE(client.too_slow(now, 0, true, 1024, Duration{400}));
  CHECK_FALSE(client.too_slow(now += Duration{5'000}, 0, true, 1024, Duration{400}));
  CHECK(client.too_slow(now += Duration{200}, 0, true, 1024, Duration{400}));
}
