#include "router/proxy/tunnel.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray;
using namespace gray::proxy;
using segment::Reason;
using Side = Tunnel::Side;

namespace {

const std::string kText("\x81\x02hi", 4);
const std::string kClose("\x88\x02\x03\xe8", 4);

Tunnel opened(std::string_view protocol) {
  Tunnel tunnel;
  tunnel.open(protocol);
  return tunnel;
}

std::string farewell(const Tunnel& tunnel, Side to) {
  std::array<char, http::kMaxCloseFrame> frame;
  return std::string(tunnel.close_frame(to, "mask", frame));
}

}  // namespace

TEST_CASE("a tunnel is over when both sides have ended, in either order") {
  for (const Side first : {Side::client, Side::worker}) {
    Tunnel tunnel = opened("chat");
    tunnel.passed(Side::client, "anything");
    tunnel.ended(first);
    CHECK(tunnel.has_ended(first));
    CHECK_FALSE(tunnel.over());
    tunnel.ended(first == Side::client ? Side::worker : Side::client);
    CHECK(tunnel.over());
    CHECK(tunnel.reason() == Reason::none);
  }
}

TEST_CASE("a WebSocket that ends without a Close was broken by who ended first") {
  Tunnel killed = opened("WebSocket");
  killed.passed(Side::worker, kText);
  killed.ended(Side::worker);
  killed.ended(Side::client);
  CHECK(killed.reason() == Reason::upstream_closed);

  Tunnel left = opened("websocket");
  left.ended(Side::client);
  left.passed(Side::worker, kClose);
  left.ended(Side::worker);
  CHECK(left.reason() == Reason::client_gone);
}

TEST_CASE("a Close of either side makes any end a clean one") {
  for (const Side closing : {Side::client, Side::worker}) {
    Tunnel tunnel = opened("websocket");
    tunnel.passed(closing, kClose);
    tunnel.ended(Side::worker);
    tunnel.ended(Side::client);
    CHECK(tunnel.reason() == Reason::none);
  }
}

TEST_CASE("a farewell is said where it is understood: to each side at a boundary of what it has been sent") {
  Tunnel tunnel = opened("websocket");
  CHECK(farewell(tunnel, Side::client) == std::string("\x88\x02\x03\xe9", 4));
  CHECK(farewell(tunnel, Side::worker).substr(0, 6) == std::string("\x88\x82mask", 6));
  tunnel.passed(Side::worker, kText.substr(0, 3));
  CHECK(farewell(tunnel, Side::client).empty());
  CHECK(farewell(tunnel, Side::worker).size() == 8);
  tunnel.passed(Side::worker, kText.substr(3));
  CHECK(farewell(tunnel, Side::client).size() == 4);
}

TEST_CASE("nothing is said behind a Close, behind a FIN, or in a protocol that we do not know") {
  Tunnel closed = opened("websocket");
  closed.passed(Side::worker, kClose);
  CHECK(farewell(closed, Side::client).empty());
  CHECK(farewell(closed, Side::worker).size() == 8);
  Tunnel ended = opened("websocket");
  ended.ended(Side::client);
  CHECK(farewell(ended, Side::worker).empty());
  CHECK(farewell(ended, Side::client).size() == 4);
  const Tunnel other = opened("websocket/13");
  CHECK(farewell(other, Side::client).empty());
  CHECK(farewell(other, Side::worker).empty());
}

TEST_CASE("a tunnel that is opened again knows nothing of the one before") {
  Tunnel tunnel = opened("websocket");
  tunnel.passed(Side::client, kText.substr(0, 1));
  tunnel.ended(Side::client);
  tunnel.open("websocket");
  CHECK_FALSE(tunnel.has_ended(Side::client));
  CHECK(tunnel.reason() == Reason::none);
  CHECK(farewell(tunnel, Side::worker).size() == 8);
}
