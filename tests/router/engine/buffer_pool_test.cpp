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
  for (int i = 0; i < 40; ++i) peak.push_back(pool.take(4096, 1));
  CHECK(pool.trim() == 0);
  peak.resize(20);
  CHECK(pool.kept() == 20 * 4096);
  CHECK(surplus == 1);
  CHECK(pool.trim() == 0);         // 40 were in use since the last time
  CHECK(pool.trim() == 8 * 4096);  // 40 are there, 25 are wanted
  CHECK(pool.trim() == 4 * 4096);
  peak.clear();
  CHECK(surplus == 2);
  pool.trim();
  while (pool.trim() > 0) {
  }
  CHECK(pool.kept() <= 4096);
  const Buffer again = pool.take(4096, 1);
  CHECK(again.capacity() == 4096);
}
