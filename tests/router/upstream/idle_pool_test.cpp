#include "router/upstream/idle_pool.hpp"

#include <doctest/doctest.h>

namespace gray::upstream {
namespace {

struct Socket : IdleLink<Socket> {};

TimePoint at(int ms) { return TimePoint{} + Duration{ms}; }

TEST_CASE("an empty pool returns no socket") {
  IdlePool<Socket> pool;
  CHECK(pool.take_newest() == nullptr);
  CHECK(pool.take_expired(at(1000), Duration{0}) == nullptr);
  CHECK(pool.oldest() == nullptr);
  CHECK_FALSE(pool.next_deadline(Duration{1}).has_value());
  CHECK(pool.size() == 0);
}

TEST_CASE("the socket that was put last is taken first") {
  IdlePool<Socket> pool;
  Socket a, b, c;
  pool.put(a, at(1));
  pool.put(b, at(2));
  pool.put(c, at(3));
  CHECK(pool.size() == 3);
  CHECK(pool.oldest() == &a);
  CHECK(pool.take_newest() == &c);
  CHECK(pool.take_newest() == &b);
  pool.put(c, at(4));
  CHECK(pool.take_newest() == &c);
  CHECK(pool.take_newest() == &a);
  CHECK(pool.take_newest() == nullptr);
  CHECK(pool.size() == 0);
}

TEST_CASE("a socket that died is removed from anywhere, and removing it again is harmless") {
  Socket links[3];
  for (int victim = 0; victim < 3; ++victim) {
    IdlePool<Socket> pool;
    for (int i = 0; i < 3; ++i) pool.put(links[i], at(i));
    pool.remove(links[victim]);
    pool.remove(links[victim]);
    CHECK_FALSE(links[victim].linked);
    CHECK(pool.size() == 2);
    for (int i = 2; i >= 0; --i) {
      if (i != victim) CHECK(pool.take_newest() == &links[i]);
    }
    CHECK(pool.oldest() == nullptr);
  }
}

TEST_CASE("sockets expire from the oldest on, exactly at the limit") {
  IdlePool<Socket> pool;
  Socket a, b;
  pool.put(a, at(0));
  pool.put(b, at(10));
  CHECK(pool.next_deadline(Duration{100}) == at(100));
  CHECK(pool.take_expired(at(99), Duration{100}) == nullptr);
  CHECK(pool.take_expired(at(100), Duration{100}) == &a);
  CHECK(pool.take_expired(at(100), Duration{100}) == nullptr);
  CHECK(pool.next_deadline(Duration{100}) == at(110));
  CHECK(pool.take_expired(at(500), Duration{100}) == &b);
  CHECK(pool.take_expired(at(500), Duration{100}) == nullptr);
}

TEST_CASE("a socket that was used in between is as young as its last use") {
  IdlePool<Socket> pool;
  Socket a;
  pool.put(a, at(0));
  CHECK(pool.take_newest() == &a);
  pool.put(a, at(90));
  CHECK(pool.take_expired(at(100), Duration{100}) == nullptr);
  CHECK(pool.take_expired(at(190), Duration{100}) == &a);
}

}  // namespace
}  // namespace gray::upstream
