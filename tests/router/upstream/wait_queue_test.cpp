#include "router/upstream/wait_queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace gray::upstream {
namespace {

constexpr Duration kSecond{1000};

struct Request : Waiter<Request> {};

TimePoint at_ms(int ms) { return TimePoint{} + Duration{ms}; }

TEST_CASE("an empty queue has no waiter to serve") {
  WaitQueue<Request> queue;
  CHECK(queue.pop(at_ms(0)) == nullptr);
  CHECK(queue.pop_expired(at_ms(0)) == nullptr);
  CHECK_FALSE(queue.next_deadline().has_value());
  CHECK(queue.oldest_wait(at_ms(1000)) == Micros{0});
}

TEST_CASE("the oldest or the newest is served first, as the caller says") {
  WaitQueue<Request> queue;
  Request a, b, c;
  queue.push(a, at_ms(0), kSecond);
  queue.push(b, at_ms(10), kSecond);
  queue.push(c, at_ms(20), kSecond);
  CHECK(queue.oldest_wait(at_ms(30)) == Duration{30});
  CHECK(queue.pop(at_ms(99)) == &a);
  CHECK(queue.oldest_wait(at_ms(30)) == Duration{20});
  CHECK(queue.pop(at_ms(100), Order::newest_first) == &c);
  CHECK(queue.pop(at_ms(100), Order::newest_first) == &b);
  CHECK(queue.size() == 0);
}

TEST_CASE("expired waiters are left for pop_expired, by age, and never served") {
  WaitQueue<Request> queue;
  Request a, b, c;
  queue.push(a, at_ms(0), Duration{50});
  queue.push(b, at_ms(10), Duration{50});
  queue.push(c, at_ms(20), Duration{50});
  CHECK(queue.next_deadline() == at_ms(50));
  CHECK(queue.pop_expired(at_ms(49)) == nullptr);
  CHECK(queue.pop(at_ms(60)) == &c);
  CHECK(queue.size() == 2);
  CHECK(queue.pop(at_ms(60)) == nullptr);
  CHECK(queue.pop_expired(at_ms(60)) == &a);
  CHECK(queue.pop_expired(at_ms(60)) == &b);
  CHECK(queue.pop_expired(at_ms(60)) == nullptr);
}

TEST_CASE("a client that leaves is removed from anywhere, and removing it again is harmless") {
  std::array<Request, 3> waiters;
  for (std::size_t victim = 0; victim < 3; ++victim) {
    WaitQueue<Request> queue;
    for (Request& waiter : waiters) queue.push(waiter, at_ms(0), kSecond);
    queue.remove(waiters[victim]);
    queue.remove(waiters[victim]);
    CHECK(queue.size() == 2);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i != victim) CHECK(queue.pop(at_ms(1)) == &waiters[i]);
    }
    CHECK(queue.pop(at_ms(1)) == nullptr);
  }
}

TEST_CASE("a shorter timeout after a reload does not overtake those who waited before") {
  WaitQueue<Request> queue;
  Request before, after;
  queue.push(before, at_ms(0), kSecond);
  queue.push(after, at_ms(10), Duration{100});
  CHECK(after.deadline == at_ms(1000));
  CHECK(queue.pop_expired(at_ms(999)) == nullptr);
  CHECK(queue.pop_expired(at_ms(1000)) == &before);
  CHECK(queue.pop_expired(at_ms(1000)) == &after);
}

TEST_CASE("a timeout of zero expires at once") {
  WaitQueue<Request> queue;
  Request a;
  queue.push(a, at_ms(5), Duration{0});
  CHECK(queue.pop(at_ms(5)) == nullptr);
  CHECK(queue.pop_expired(at_ms(5)) == &a);
}

/// The simple reference implementation of the queue.
struct Model {
  std::vector<Request*> waiters;  // oldest first

  void push(Request& waiter) { waiters.push_back(&waiter); }
  Request* take(std::vector<Request*>::iterator found) {
    if (found == waiters.end()) return nullptr;
    Request* waiter = *found;
    waiters.erase(found);
    return waiter;
  }
  Request* pop(TimePoint now, Order order) {
    const auto alive = [now](const Request* waiter) { return waiter->deadline > now; };
    if (order == Order::newest_first) {
      const auto newest = std::find_if(waiters.rbegin(), waiters.rend(), alive);
      return newest == waiters.rend() ? nullptr : take(newest.base() - 1);
    }
    return take(std::find_if(waiters.begin(), waiters.end(), alive));
  }
  Request* pop_expired(TimePoint now) {
    return take(
        std::find_if(waiters.begin(), waiters.end(), [now](Request* waiter) { return waiter->deadline <= now; }));
  }
  void remove(Request& waiter) { std::erase(waiters, &waiter); }
};

TEST_CASE("under random operations the queue does what a naive model does") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&random](unsigned n) { return random() % n; };
  WaitQueue<Request> queue;
  Model model;
  std::array<Request, 40> waiters;
  TimePoint now = at_ms(0);
  for (int step = 0; step < 50'000; ++step) {
    now += Duration{below(8)};
    Request& waiter = waiters[below(waiters.size())];
    switch (below(5)) {
      case 0:
      case 1:
        if (waiter.linked) break;
        queue.push(waiter, now, Duration{20 + below(200)});
        model.push(waiter);
        break;
      case 2: {
        const Order order = below(2) == 0 ? Order::oldest_first : Order::newest_first;
        REQUIRE(queue.pop(now, order) == model.pop(now, order));
        break;
      }
      case 3: REQUIRE(queue.pop_expired(now) == model.pop_expired(now)); break;
      default:
        if (below(4) > 0) break;
        queue.remove(waiter);
        model.remove(waiter);
    }
    REQUIRE(queue.size() == model.waiters.size());
    REQUIRE(queue.next_deadline().has_value() == !model.waiters.empty());
    if (!model.waiters.empty()) REQUIRE(queue.next_deadline() == model.waiters.front()->deadline);
  }
}

}  // namespace
}  // namespace gray::upstream
