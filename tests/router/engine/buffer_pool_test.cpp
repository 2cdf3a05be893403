#include "router/engine/buffer_pool.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace gray::engine;

TEST_CASE("a buffer is at least as large as requested, and its memory is reused") {
  BufferPool pool(1 << 20);
  const char* first = nullptr;
  {
    Buffer buffer = pool.take(700, 1);
    REQUIRE(buffer);
    CHECK(buffer.capacity() == 1024);
    first = buffer.data();
  }
  CHECK(pool.outstanding() == 0);
  CHECK(pool.kept() == 1024);
  CHECK(pool.take(10, 2).data() == first);
}

TEST_CASE("the budget is exact: a buffer beyond it is refused and counted, returned memory can be taken again") {
  BufferPool pool(8192);
  Buffer one = pool.take(4096, 1);
  Buffer two = pool.take(4096, 1);
  CHECK(pool.outstanding() == 8192);
  CHECK_FALSE(pool.take(1, 1));
  CHECK(pool.refused() == 1);
  one.reset();
  CHECK(pool.take(1, 1));
}

TEST_CASE("content survives growth, and a refused growth leaves it as it was") {
  BufferPool pool(6 * 1024);
  Buffer buffer = pool.take(1024, 1);
  buffer.append(std::string(1000, 'a'));
  REQUIRE(pool.reserve(buffer, 500, 1));
  CHECK(buffer.view() == std::string(1000, 'a'));
  CHECK_FALSE(pool.reserve(buffer, 10'000, 1));
  CHECK(buffer.view() == std::string(1000, 'a'));
  buffer.consume(990);
  CHECK(buffer.view() == std::string(10, 'a'));
}

TEST_CASE("buffers above the largest class go back to the system, and free lists are bounded") {
  BufferPool pool(64 << 20);
  pool.take(200'000, 1).reset();
  CHECK(pool.kept() == 0);
  std::vector<Buffer> many;
  for (int i = 0; i < 40; ++i) many.push_back(pool.take(65536, 1));
  many.clear();
  CHECK(pool.kept() <= BufferPool::kKeptBytes);
  CHECK(pool.outstanding() == 0);
}

TEST_CASE("every live buffer is listed with its owner and the call site that took it") {
  BufferPool pool(1 << 20);
  Buffer kept = pool.take(100, 42);
  const Buffer other = pool.take(100, 7);
  std::map<std::uint64_t, unsigned> seen;
  pool.for_each_live([&](const BufferHeader& header) { seen[header.owner] = header.site.line(); });
  CHECK(seen.size() == 2);
  CHECK(seen[7] == seen[42] + 1);
  kept.reset();
  seen.clear();
  pool.for_each_live([&](const BufferHeader& header) { seen[header.owner] = 1; });
  CHECK(seen.count(42) == 0);
}

TEST_CASE("a moved handle owns, the one it came from does not") {
  BufferPool pool(1 << 20);
  Buffer a = pool.take(10, 1);
  a.append("abc");
  Buffer b = std::move(a);
  CHECK_FALSE(a);
  CHECK(b.view() == "abc");
  Buffer c = pool.take(10, 1);
  c = std::move(b);
  CHECK(c.view() == "abc");
  CHECK(pool.outstanding() == 1024);
}

TEST_CASE("outstanding bytes equal the live buffers, through random takes and returns") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  BufferPool pool(1 << 20);
  std::vector<Buffer> held;
  for (int i = 0; i < 5'000; ++i) {
    if (random() % 2 == 0) {
      if (Buffer buffer = pool.take(random() % 100'000, i)) held.push_back(std::move(buffer));
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      held.pop_back();
    }
    std::size_t bytes = 0;
    for (const Buffer& buffer : held) bytes += buffer.capacity();
    REQUIRE(pool.outstanding() == bytes);
    REQUIRE(bytes <= 1 << 20);
  }
}

TEST_CASE("after a peak the free lists shrink by half of their surplus each time") {
  int surplus = 0;
  BufferPool pool(1 << 20, [&] { ++surplus; });
  std::vector<Buffer> peak;
  for (int i = 0; i < 60; ++i) peak.push_back(pool.take(4096, 1));
  CHECK(pool.trim() == 0);
  peak.resize(30);
  CHECK(pool.kept() == 30 * 4096);
  CHECK(surplus == 1);
  CHECK(pool.trim() == 0);          // 60 were in use since the last time
  CHECK(pool.trim() == 12 * 4096);  // 60 are there, 37.5 are wanted
  CHECK(pool.trim() == 6 * 4096);
  peak.clear();
  CHECK(surplus == 2);
  pool.trim();
  while (pool.trim() > 0) {
  }
  CHECK(pool.kept() <= 4096);
  const Buffer again = pool.take(4096, 1);
  CHECK(again.capacity() == 4096);
}

TEST_CASE("the figures of each class are in the counts") {
  gray::segment::MemoryCounts counts{};
  BufferPool pool(100'000, {}, counts);
  const gray::segment::BufferCounts& small = counts.buffers[1];
  const gray::segment::BufferCounts& larger = counts.buffers[gray::segment::kBufferClasses - 1];
  std::vector<Buffer> held;
  for (int i = 0; i < 4; ++i) held.push_back(pool.take(2'000, 1));
  CHECK(small.in_use == 4 * 4096);
  held.resize(1);
  CHECK(small.in_use == 4096);
  CHECK(small.kept == 3 * 4096);
  CHECK(small.high_water == 4 * 4096);
  CHECK(small.released == 0);
  held.clear();
  pool.trim();
  pool.trim();
  CHECK(small.released == 2 * 4096);
  CHECK(small.kept == 2 * 4096);
  pool.take(70'000, 1).reset();
  CHECK(larger.released == 70'000);
  CHECK(larger.kept == 0);
  CHECK_FALSE(pool.take(200'000, 1));
  CHECK(larger.refused == 1);
  CHECK(small.refused == 0);
}

TEST_CASE("100 buffers of 16 MB leave nothing behind, and the rest of a peak is gone after ten trims") {
  BufferPool pool(2'000u << 20);
  std::vector<Buffer> held;
  for (int i = 0; i < 100; ++i) held.push_back(pool.take(16 << 20, 1));
  for (std::size_t size : gray::segment::kBufferSizes) {
    for (int i = 0; i < 2'000; ++i) held.push_back(pool.take(size, 1));
  }
  held.clear();
  CHECK(pool.kept() <= std::size(gray::segment::kBufferSizes) * BufferPool::kKeptBytes);
  for (int i = 0; i < 10; ++i) pool.trim();
  CHECK_FALSE(pool.has_surplus());
}

TEST_CASE("a small rest leaves a large buffer") {
  BufferPool pool(1 << 20);
  Buffer buffer = pool.take(16'384, 1);
  buffer.append(std::string(16'000, 'a'));
  pool.shrink(buffer, 1);
  CHECK(buffer.capacity() == 16'384);
  buffer.consume(15'900);
  pool.shrink(buffer, 1);
  CHECK(buffer.capacity() == 1024);
  CHECK(buffer.view() == std::string(100, 'a'));
  pool.shrink(buffer, 1);
  CHECK(buffer.capacity() == 1024);
  CHECK(pool.outstanding() == 1024);
}

TEST_CASE("the buffers of each owner add up to what is outstanding, the largest owner first") {
  BufferPool pool(1 << 20);
  std::vector<Buffer> held;
  for (const std::uint64_t owner : {1, 2, 2, 3}) held.push_back(pool.take(owner == 3 ? 16'384 : 4'096, owner));
  const auto holdings = pool.holdings();
  REQUIRE(holdings.size() == 3);
  CHECK(holdings[0].owner == 3);
  CHECK(holdings[0].bytes == 16'384);
  CHECK(holdings[1].owner == 2);
  CHECK(holdings[1].count == 2);
  std::size_t bytes = 0;
  for (const Holding& one : holdings) bytes += one.bytes;
  CHECK(bytes == pool.outstanding());
}

TEST_CASE("a leaked buffer of a pool is found, with those who held it, and counted") {
  using gray::LeakDetection;
  gray::segment::MemoryCounts counts{};
  BufferPool pool(1 << 20, {}, counts);
  pool.detector().set_level(LeakDetection::paranoid);
  Buffer leaked = pool.take(4'096, 7);
  leaked.touch("one");
  Buffer moved = std::move(leaked);
  moved.touch("other");
  const Buffer fine = pool.take(4'096, 8);
  gray::TimePoint now{std::chrono::hours(1)};
  const auto is_open = [](std::uint64_t owner) { return owner == 8; };
  CHECK(pool.sweep(now, is_open).empty());
  const auto found = pool.sweep(now + gray::engine::LeakDetector::kSweepInterval, is_open);
  REQUIRE(found.size() == 1);
  CHECK(found[0].owner == 7);
  CHECK(found[0].held_by == "one, other");
  CHECK(counts.leaks[static_cast<std::size_t>(gray::segment::LeakKind::owner_ended)] == 1);
  CHECK(pool.detector().leaks().size() == 1);
}

TEST_CASE("the use of a buffer renews its age, and a rest in a large one is a pin") {
  BufferPool pool(1 << 20);
  pool.detector().set_level(gray::LeakDetection::paranoid);
  Buffer buffer = pool.take(16'384, 1);
  buffer.append(std::string(10'000, 'a'));
  gray::TimePoint now{std::chrono::hours(1)};
  const auto during = [&](int seconds) {
    std::vector<Leak> all;
    for (int i = 0; i < seconds; i += 2) {
      now += gray::engine::LeakDetector::kSweepInterval;
      for (Leak& leak : pool.sweep(now, [](std::uint64_t) { return true; })) all.push_back(std::move(leak));
    }
    return all;
  };
  CHECK(during(28).empty());
  buffer.append("b");
  CHECK(during(28).empty());
  buffer.set_long_lived();
  buffer.consume(9'900);
  CHECK(during(28).empty());
  const auto found = during(6);
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == gray::segment::LeakKind::pinned);
}

TEST_CASE("what is left at the end of a drain is named at every level but off") {
  using gray::LeakDetection;
  for (const auto level :
       {LeakDetection::off, LeakDetection::simple, LeakDetection::advanced, LeakDetection::paranoid}) {
    BufferPool pool(1 << 20);
    pool.detector().set_level(level);
    CHECK(pool.left_over().empty());
    Buffer one = pool.take(10, 1);
    const Buffer two = pool.take(4'096, 2);
    const std::size_t bytes = pool.outstanding();
    std::size_t named = 0;
    for (const Leak& leak : pool.left_over()) named += leak.bytes;
    CHECK(named == (level == LeakDetection::off ? 0 : bytes));
  }
}
