#include "router/engine/send_tail.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace gray::engine;

namespace {

std::string content(SendTail& tail) {
  iovec pieces[64];
  const std::size_t count = tail.pieces(pieces, 64);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  return text;
}

}  // namespace

TEST_CASE("bytes come out in the order in which they went in, whatever the pieces") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  BufferPool pool(1 << 20);
  SendTail tail;
  std::string model;
  for (int i = 0; i < 2'000; ++i) {
    if (random() % 2 == 0 && model.size() < 100'000) {
      const std::string bytes(random() % 9'000, static_cast<char>('a' + i % 26));
      REQUIRE(tail.append(bytes, pool, 1));
      model += bytes;
    } else if (!model.empty()) {
      const std::size_t count = random() % model.size() + 1;
      tail.consume(count);
      model.erase(0, count);
    }
    REQUIRE(tail.size() == model.size());
    REQUIRE(content(tail) == model);
  }
}

TEST_CASE("an empty tail holds no memory") {
  BufferPool pool(1 << 20);
  SendTail tail;
  CHECK(tail.append(std::string(8'000, 'x'), pool, 1));
  CHECK(pool.outstanding() == 2 * SendTail::kChunk);
  tail.consume(5'000);
  CHECK(pool.outstanding() == SendTail::kChunk);
  tail.consume(3'000);
  CHECK(tail.empty());
  CHECK(pool.outstanding() == 0);
}

TEST_CASE("a budget that is used up refuses the append") {
  BufferPool pool(2 * SendTail::kChunk);
  SendTail tail;
  CHECK_FALSE(tail.append(std::string(3 * SendTail::kChunk, 'x'), pool, 1));
  tail.clear();
  CHECK(pool.outstanding() == 0);
}

TEST_CASE("nothing is appended as nothing, and a tail that is cleared holds no memory") {
  BufferPool pool(1 << 20);
  SendTail tail;
  CHECK(tail.append("", pool, 1));
  CHECK(tail.empty());
  CHECK(tail.append(std::string(40'000, 'x'), pool, 1));
  CHECK(pool.outstanding() == 10 * SendTail::kChunk);
  tail.clear();
  CHECK(tail.size() == 0);
  CHECK(pool.outstanding() == 0);
}
