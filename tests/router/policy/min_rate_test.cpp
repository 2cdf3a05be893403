#include "router/policy/min_rate.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace gray;
using policy::MinRate;

namespace {

constexpr Duration kTick{1'000};

/// A client who is looked at once a second. `bytes(second)` is what he moves in it, `waited_for(second)` whether he is
/// waited for at its end. The second at whose end he is found too slow; 0: not within `seconds`.
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

TEST_CASE("nobody is cut in the first 30 s, who moves nothing is cut then") {
  CHECK(cut_after(100, 1024, nothing) == 30);
  CHECK(cut_after(100, 1, nothing) == 30);
}

TEST_CASE("the rate is a bound: exactly so much is enough, a byte less is not") {
  CHECK(cut_after(1'000, 1024, [](int) { return 1024u; }) == 0);
  CHECK(cut_after(1'000, 1024, [](int second) { return second == 17 ? 1023u : 1024u; }) == 30);
  CHECK(cut_after(1'000, 1024, [](int) { return 1023u; }) == 30);
  CHECK(cut_after(1'000, 1ull << 50, [](int) { return 1ull << 50; }) == 0);
  CHECK(cut_after(1'000, 1ull << 50, [](int) { return (1ull << 50) - (1ull << 20); }) == 30);
}

TEST_CASE("it is the average that counts, not the steadiness") {
  CHECK(cut_after(1'000, 1024, [](int second) { return second % 15 == 0 ? 15 * 1024u : 0u; }) == 0);
}

TEST_CASE("who was quick and becomes slow is found within one and a half windows") {
  for (int last = 1; last < 60; ++last) {
    CAPTURE(last);
    const int cut = cut_after(1'000, 1024, [&](int second) { return second <= last ? 100'000u : 0u; });
    CHECK(cut > last + 14);
    CHECK(cut <= last + 45);
  }
}

TEST_CASE("what was moved at the beginning is no credit for ever") {
  CHECK(cut_after(1'000, 1024, [](int second) { return second == 1 ? 1u << 30 : 1u; }) == 45);
}

TEST_CASE("time in which the client is not waited for does not count") {
  CHECK(cut_after(10'000, 1024, nothing, [](int) { return false; }) == 0);
  // Waited for at every other look: never for a whole second that is known.
  CHECK(cut_after(10'000, 1024, nothing, [](int second) { return second % 2 == 0; }) == 0);
  // Ten seconds of his, then a minute of the worker's: three times ten make a window.
  CHECK(cut_after(10'000, 1024, nothing, [](int second) { return second % 70 <= 10; }) == 150);
}

TEST_CASE("bytes that are moved while nobody waits count too") {
  const auto waited_for = [](int second) { return second % 70 <= 10; };
  CHECK(cut_after(10'000, 1024, [](int second) { return second % 70 > 10 ? 1024u : 0u; }, waited_for) == 0);
}

TEST_CASE("a rate of none asks only that something is moved") {
  CHECK(cut_after(1'000, 0, [](int second) { return second % 15 == 1 ? 1u : 0u; }) == 0);
  CHECK(cut_after(1'000, 0, nothing) == 30);
}

TEST_CASE("a sum that seems to fall, as framing is added to what is unsent, moves nothing") {
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

TEST_CASE("looks may be far apart, and the window may be another one") {
  MinRate client;
  TimePoint now{Duration{1'000}};
  CHECK_FALSE(client.too_slow(now, 0, true, 1024, Duration{400}));
  CHECK_FALSE(client.too_slow(now += Duration{5'000}, 0, true, 1024, Duration{400}));
  CHECK(client.too_slow(now += Duration{200}, 0, true, 1024, Duration{400}));
}
