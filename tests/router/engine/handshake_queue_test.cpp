#include "router/engine/handshake_queue.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::engine;

namespace {

StreamId stream(std::uint32_t index) { return {index, 1}; }
TimePoint at(int ms) { return TimePoint{} + Duration{1'000 + ms}; }

}  // namespace

TEST_CASE("streams are served in their order") {
  HandshakeQueue queue;
  CHECK_FALSE(queue.due());
  CHECK_FALSE(queue.next(at(0), false));
  queue.add(stream(1), false);
  queue.add(stream(2), false);
  CHECK(queue.due());
  CHECK(queue.next(at(0), true) == stream(1));
  CHECK(queue.next(at(0), true) == stream(2));
  CHECK_FALSE(queue.due());
}

TEST_CASE("beside other work the next step waits as long as the last one took") {
  HandshakeQueue queue;
  queue.add(stream(1), false);
  queue.stepped(at(10), at(14));
  CHECK_FALSE(queue.next(at(17), true));
  CHECK(queue.due());
  CHECK(queue.next(at(18), true) == stream(1));
  queue.add(stream(2), false);
  queue.stepped(at(20), at(24));
  CHECK(queue.next(at(24), false) == stream(2));
}

TEST_CASE("new handshakes and those that go on take turns") {
  HandshakeQueue queue;
  for (std::uint32_t i = 0; i < 3; ++i) queue.add(stream(i), false);
  for (std::uint32_t i = 10; i < 13; ++i) queue.add(stream(i), true);
  bool fresh = false, goes_on = false;
  for (int i = 0; i < 2; ++i) {
    const auto next = queue.next(at(0), false);
    REQUIRE(next);
    (next->index < 10 ? fresh : goes_on) = true;
  }
  CHECK(fresh);
  CHECK(goes_on);
}

TEST_CASE("a new handshake waits while kMaxHandshakes are in progress") {
  HandshakeQueue queue;
  for (std::size_t i = 0; i < kMaxHandshakes; ++i) queue.begin(stream(static_cast<std::uint32_t>(100 + i)), at(0));
  queue.add(stream(1), false);
  CHECK_FALSE(queue.due());
  CHECK_FALSE(queue.next(at(0), false));
  queue.add(stream(2), true);
  CHECK(queue.next(at(0), false) == stream(2));
  queue.end();
  CHECK(queue.next(at(0), false) == stream(1));
}

TEST_CASE("while others wait, a handshake that lasts too long is cut, the oldest first") {
  HandshakeQueue queue;
  for (std::uint32_t i = 0; i < kMaxHandshakes; ++i) queue.begin(stream(i), at(static_cast<int>(i)));
  const auto all_go_on = [](StreamId) { return true; };
  CHECK_FALSE(queue.crowded());
  CHECK_FALSE(queue.overdue(at(5'000), all_go_on));
  queue.add(stream(1'000), false);
  CHECK(queue.crowded());
  CHECK_FALSE(queue.overdue(at(999), all_go_on));
  CHECK(queue.overdue(at(1'000), [](StreamId id) { return id.index != 0; }) == std::nullopt);
  CHECK(queue.overdue(at(1'001), all_go_on) == stream(1));
  queue.end();
  CHECK_FALSE(queue.overdue(at(9'000), all_go_on));
  CHECK(queue.next(at(9'000), false) == stream(1'000));
}

TEST_CASE("streams that have closed do not stay queued") {
  HandshakeQueue queue;
  std::uint32_t next = 0;
  for (; !queue.overgrown(1); ++next) queue.add(stream(next), next % 2 == 0);
  CHECK(next <= 4 + kMaxHandshakes + 1);
  queue.prune([](StreamId id) { return id.index == 7; });
  CHECK_FALSE(queue.overgrown(1));
  CHECK(queue.next(at(0), false) == stream(7));
  CHECK_FALSE(queue.due());
}
