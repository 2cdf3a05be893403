#include "router/engine/leak_detector.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

using namespace gray;
using namespace gray::engine;
using segment::LeakKind;

namespace {

constexpr std::uint64_t kOpen = 1, kEnded = 2;

struct Sweeps {
  LeakDetector detector;
  TimePoint now{std::chrono::hours(1)};

  explicit Sweeps(LeakDetection level, std::uint64_t seed = std::random_device{}()) : detector(seed) {
    detector.set_level(level);
  }
  std::vector<Leak> next() {
    now += LeakDetector::kSweepInterval;
    return detector.sweep(now, [](std::uint64_t owner) { return owner != kEnded; });
  }
  /// Sweeps for so long; what was found.
  std::vector<Leak> during(Duration time) {
    std::vector<Leak> all;
    for (const TimePoint end = now + time; now < end;) {
      for (Leak& leak : next()) all.push_back(std::move(leak));
    }
    return all;
  }
  WatchedBuffer* take(std::uint64_t owner, std::size_t capacity = 4096,
                      std::source_location site = std::source_location::current()) {
    if (!detector.due()) return nullptr;
    WatchedBuffer* buffer = detector.watch(owner, capacity, site);
    if (buffer != nullptr) buffer->used = capacity;
    return buffer;
  }
};

}  // namespace

TEST_CASE("at simple and advanced 1 in 128 buffers is watched, at paranoid all, at off none") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  for (const auto& [level, least, most] :
       {std::tuple{LeakDetection::simple, 650, 920}, std::tuple{LeakDetection::advanced, 650, 920},
        std::tuple{LeakDetection::paranoid, 100'000, 100'000}, std::tuple{LeakDetection::off, 0, 0}}) {
    LeakDetector detector(seed);
    detector.set_level(level);
    int watched = 0;
    for (int i = 0; i < 100'000; ++i) {
      if (!detector.due()) continue;
      ++watched;
      if (WatchedBuffer* buffer = detector.watch(kOpen, 1024, std::source_location::current()))
        detector.forget(*buffer);
    }
    CHECK(watched >= least);
    CHECK(watched <= most);
    CHECK(detector.watched() == 0);
  }
}

TEST_CASE("a load that repeats after 128 buffers hides none of its sites") {
  LeakDetector detector(std::random_device{}());
  detector.set_level(LeakDetection::simple);
  std::set<int> seen;
  for (int i = 0; i < 128 * 2'000; ++i) {
    if (!detector.due()) continue;
    seen.insert(i % 128);
    if (WatchedBuffer* buffer = detector.watch(kOpen, 1024, std::source_location::current())) detector.forget(*buffer);
  }
  CHECK(seen.size() == 128);
}

TEST_CASE("50 leaked buffers a second at simple are found within 30 seconds") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Sweeps sweeps(LeakDetection::simple, seed);
    int seconds = 0;
    for (bool found = false; !found; ++seconds) {
      REQUIRE(seconds < 30);
      for (int i = 0; i < 50; ++i) sweeps.take(kEnded);
      sweeps.now += Duration{1'000};
      if (seconds % 2 == 1) {
        sweeps.now -= LeakDetector::kSweepInterval;
        found = !sweeps.next().empty();
      }
    }
  }
}

TEST_CASE("a buffer whose owner has ended is reported at the second sweep, not at the first") {
  for (const auto level : {LeakDetection::advanced, LeakDetection::paranoid}) {
    Sweeps sweeps(level);
    WatchedBuffer* buffer = nullptr;
    while (buffer == nullptr) buffer = sweeps.take(kEnded);
    sweeps.detector.touch(*buffer, "first holder");
    sweeps.detector.touch(*buffer, "second holder");
    CHECK(sweeps.next().empty());
    const auto found = sweeps.next();
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == LeakKind::owner_ended);
    CHECK(found[0].bytes == 4096);
    CHECK(found[0].held_by == "first holder, second holder");
    CHECK(found[0].stack.count > 1);
    CHECK(sweeps.next().empty());  // once
    const std::string text = text_of(found[0], sweeps.detector.per());
    CHECK(
        text.starts_with("buffer leak (owner-ended): 4096 bytes taken at tests/router/engine/leak_detector_test.cpp:"));
    CHECK(text.find("held by first holder, second holder") != std::string::npos);
    CHECK(text.find("; calls: ") != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
  }
}

TEST_CASE("at simple only the site is recorded") {
  Sweeps sweeps(LeakDetection::simple);
  WatchedBuffer* buffer = nullptr;
  while (buffer == nullptr) buffer = sweeps.take(kEnded);
  sweeps.detector.touch(*buffer, "holder");
  sweeps.next();
  const auto found = sweeps.next();
  REQUIRE(found.size() == 1);
  CHECK(found[0].held_by.empty());
  CHECK(found[0].stack.count == 0);
  CHECK(text_of(found[0], sweeps.detector.per()).find("1 in 128") != std::string::npos);
}

TEST_CASE("a buffer that is given back in time is no leak") {
  Sweeps sweeps(LeakDetection::paranoid);
  WatchedBuffer* buffer = sweeps.take(kEnded);
  CHECK(sweeps.next().empty());
  sweeps.detector.forget(*buffer);
  CHECK(sweeps.during(Duration{300'000}).empty());
  CHECK(sweeps.detector.leaks().empty());
}

TEST_CASE("a buffer that nobody uses is reported after its age, unless it is registered as long-lived") {
  Sweeps sweeps(LeakDetection::paranoid);
  sweeps.detector.set_rules({.age = Duration{60'000}});
  sweeps.take(kOpen);
  WatchedBuffer* used = sweeps.take(kOpen);
  WatchedBuffer* kept = sweeps.take(kOpen);
  kept->long_lived = true;
  const TimePoint begin = sweeps.now;
  while (sweeps.now - begin < Duration{58'000}) {
    CHECK(sweeps.next().empty());
    sweeps.detector.touch(*used, "user");
  }
  std::vector<Leak> found = sweeps.during(Duration{8'000});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == LeakKind::too_old);
  found = sweeps.during(Duration{200'000});
  REQUIRE(found.size() == 1);  // the one that is not used any more
  CHECK(found[0].held_by == "user, user, user, user");
}

TEST_CASE("a small part that keeps a large buffer for long is a pin") {
  Sweeps sweeps(LeakDetection::paranoid);
  sweeps.take(kOpen, 65'536)->long_lived = true;
  WatchedBuffer* pin = sweeps.take(kOpen, 65'536);
  WatchedBuffer* changing = sweeps.take(kOpen, 65'536);
  WatchedBuffer* small = sweeps.take(kOpen, 1024);
  for (WatchedBuffer* buffer : {pin, changing, small}) {
    buffer->used = 4'000;
    buffer->long_lived = true;
  }
  small->used = 1;
  const TimePoint begin = sweeps.now;
  while (sweeps.now - begin < Duration{28'000}) {
    CHECK(sweeps.next().empty());
    changing->used = changing->used == 4'000 ? 5'000 : 4'000;
  }
  std::vector<Leak> found = sweeps.during(Duration{6'000});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == LeakKind::pinned);
  CHECK(found[0].bytes == 65'536);
}

TEST_CASE("leaks of one site are summed, and reported once") {
  Sweeps sweeps(LeakDetection::paranoid);
  const auto site = std::source_location::current();
  for (int i = 0; i < 10; ++i) sweeps.take(kEnded, 1024, site);
  CHECK(sweeps.during(Duration{10'000}).size() == 1);
  REQUIRE(sweeps.detector.leaks().size() == 1);
  CHECK(sweeps.detector.leaks()[0].count == 10);
  CHECK(sweeps.detector.leaks()[0].bytes == 10 * 1024);
  CHECK(sweeps.detector.found(LeakKind::owner_ended) == 10);
}

TEST_CASE("what is left at the end of a drain is named, watched or not") {
  LeakDetector detector(1);
  const auto site = std::source_location::current();
  CHECK(detector.left_over(kEnded, 4096, site, nullptr));
  CHECK_FALSE(detector.left_over(kEnded, 4096, site, nullptr));
  CHECK(detector.left_over(kEnded, 4096, std::source_location::current(), nullptr));
  CHECK(detector.found(LeakKind::drained) == 3);
  CHECK(text_of(detector.leaks()[0], 1).starts_with("buffer leak (drained): 8192 bytes taken at "));
}

TEST_CASE("the first of many holders stays, and the latest") {
  Touches touches;
  CHECK(touches.text().empty());
  std::mt19937_64 random(std::random_device{}());
  touches.add("first", random());
  for (int i = 0; i < 1'000; ++i) touches.add("between", random());
  touches.add("latest", random());
  CHECK(std::string(touches.last()) == "latest");
  CHECK(touches.text() == "first, between, between, latest");
  CHECK(touches.dropped() == 998);
}

TEST_CASE("the level changes while buffers are watched, and the number of watched buffers is bounded") {
  int calls = 0;
  LeakDetector detector(1, [&] { ++calls; });
  std::vector<WatchedBuffer*> held;
  const auto take = [&] {
    if (!detector.due()) return;
    if (WatchedBuffer* buffer = detector.watch(kOpen, 1024, std::source_location::current())) held.push_back(buffer);
  };
  detector.set_level(LeakDetection::off);
  for (int i = 0; i < 1'000; ++i) take();
  CHECK(held.empty());
  detector.set_level(LeakDetection::paranoid);
  take();
  CHECK(held.size() == 1);
  CHECK(calls == 1);
  detector.set_level(LeakDetection::off);
  detector.forget(*held[0]);
  held.clear();
  detector.set_level(LeakDetection::paranoid);
  for (std::size_t i = 0; i < LeakDetector::kMostWatched + 10; ++i) take();
  CHECK(held.size() == LeakDetector::kMostWatched);
  CHECK(calls == 2);
  for (WatchedBuffer* buffer : held) detector.forget(*buffer);
  CHECK(detector.watched() == 0);
}
