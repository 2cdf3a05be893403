#include "router/engine/send_window.hpp"

#include <doctest/doctest.h>

using namespace gray::engine;

TEST_CASE("a sink that takes whole windows is given twice as much, up to the largest read") {
  SendWindow window;
  CHECK(window.size() == kMinRead);
  for (std::size_t size = kMinRead; size < kMaxRead; size *= 2) {
    CHECK(window.size() == size);
    window.sent(size, size);
  }
  window.sent(kMaxRead, kMaxRead);
  CHECK(window.size() == kMaxRead);
}

TEST_CASE("a sink that takes a part is given little again") {
  SendWindow window;
  for (int i = 0; i < 4; ++i) window.sent(kMaxRead, kMaxRead);
  window.sent(10, 9);
  CHECK(window.size() == kMinRead);
  window.sent(kMinRead, 0);
  CHECK(window.size() == kMinRead);
}

TEST_CASE("the window follows what is being sent: small sends shrink it, and larger ones keep it") {
  SendWindow window;
  for (int i = 0; i < 5; ++i) window.sent(kMaxRead, kMaxRead);
  window.sent(kMaxRead / 4, kMaxRead / 4);
  CHECK(window.size() == kMaxRead);
  for (int i = 0; i < 5; ++i) window.sent(1'000, 1'000);
  CHECK(window.size() == kMinRead);
  window.sent(1'000, 1'000);
  CHECK(window.size() == kMinRead);
}
