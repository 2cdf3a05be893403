#include "router/h2/flow.hpp"

#include <doctest/doctest.h>

using namespace gray::h2;

TEST_CASE("A window for sending can be negative, and never exceeds 2^31-1") {
  SendWindow window;
  CHECK(window.room() == 65535);
  window.take(65000);
  CHECK(window.change(-65535));  // the initial size became 0
  CHECK(window.size() == -65000);
  CHECK(window.room() == 0);
  CHECK(window.change(65001));
  CHECK(window.room() == 1);
  CHECK(window.change(kMaxWindow - 1));
  CHECK(window.room() == kMaxWindow);
  CHECK(!window.change(1));
  CHECK(window.room() == kMaxWindow);
}

TEST_CASE("Credit is given for consumed bytes only, in pieces of half a window") {
  ReceiveWindow window(1000);
  CHECK(window.take(600));
  CHECK(window.left() == 400);
  CHECK(!window.take(401));
  CHECK(window.take(400));
  CHECK(window.left() == 0);
  CHECK(window.unconsumed() == 1000);
  CHECK(window.consume(499) == 0);
  CHECK(window.consume(1) == 500);
  CHECK(window.left() == 500);
  CHECK(window.consume(500) == 500);
  CHECK(window.left() == 1000);
  CHECK(window.unconsumed() == 0);
}

TEST_CASE("More than came is never credited") {
  ReceiveWindow window(1000);
  CHECK(window.take(800));
  CHECK(window.consume(5000) == 800);
  CHECK(window.left() == 1000);
  CHECK(window.consume(5000) == 0);
}
