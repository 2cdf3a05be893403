#include "router/policy/client_limit.hpp"

#include <doctest/doctest.h>

namespace gray::policy {
namespace {

Address at(std::string_view text) {
  const auto address = Address::parse(text);
  REQUIRE(address.has_value());
  return *address;
}

TEST_CASE("a client gets connections up to its limit, counted over all its ports") {
  ClientLimit limit(2, 10);
  CHECK(limit.acquire(at("10.0.0.1:1000")));
  CHECK(limit.acquire(at("10.0.0.1:1001")));
  CHECK_FALSE(limit.acquire(at("10.0.0.1:1002")));
  CHECK(limit.connections_of(at("10.0.0.1:1")) == 2);
  CHECK(limit.acquire(at("10.0.0.2:1000")));
  limit.release(at("10.0.0.1:1001"));
  CHECK(limit.acquire(at("10.0.0.1:1003")));
}

TEST_CASE("a trusted proxy stands for many clients, and is not counted") {
  ClientLimit limit(1, 10, NetworkSet({*Cidr::parse("10.0.0.0/24")}));
  const Address proxy = at("10.0.0.1:1"), client = at("192.0.2.1:1");
  for (int i = 0; i < 5; ++i) CHECK(limit.acquire(proxy));
  CHECK(limit.connections_of(proxy) == 0);
  CHECK(limit.move(proxy, client));  // its PROXY header names one of them
  CHECK_FALSE(limit.move(proxy, client));
  limit.release(client);
  limit.release(client);
  for (int i = 0; i < 3; ++i) limit.release(proxy);
  CHECK(limit.clients() == 0);
}

TEST_CASE("a client without connections takes no room") {
  ClientLimit limit(2, 10);
  CHECK(limit.acquire(at("10.0.0.1:1")));
  CHECK(limit.clients() == 1);
  limit.release(at("10.0.0.1:1"));
  CHECK(limit.clients() == 0);
  CHECK(limit.connections_of(at("10.0.0.1:1")) == 0);
}

TEST_CASE("the number of clients is bounded, and known ones are still accepted") {
  ClientLimit limit(5, 2);
  CHECK(limit.acquire(at("10.0.0.1:1")));
  CHECK(limit.acquire(at("10.0.0.2:1")));
  CHECK_FALSE(limit.acquire(at("10.0.0.3:1")));
  CHECK(limit.acquire(at("10.0.0.1:2")));
  CHECK(limit.clients() == 2);
  limit.release(at("10.0.0.2:1"));
  CHECK(limit.acquire(at("10.0.0.3:1")));
}

TEST_CASE("an IPv4-mapped IPv6 address is the same client as its IPv4 address") {
  ClientLimit limit(1, 10);
  CHECK(limit.acquire(at("10.0.0.1:1")));
  CHECK_FALSE(limit.acquire(at("[::ffff:10.0.0.1]:1")));
  CHECK(limit.acquire(at("[::a00:1]:1")));
}

TEST_CASE("unix peers are not counted") {
  ClientLimit limit(1, 1);
  for (int i = 0; i < 3; ++i) CHECK(limit.acquire(at("unix:/run/web.sock")));
  CHECK(limit.clients() == 0);
  CHECK(limit.connections_of(at("unix:/run/web.sock")) == 0);
  limit.release(at("unix:/run/web.sock"));
  CHECK(limit.acquire(at("10.0.0.1:1")));
}

TEST_CASE("a connection that turns out to be another client's is counted there") {
  ClientLimit limit(2, 10);
  CHECK(limit.acquire(at("10.0.0.1:1")));
  CHECK(limit.move(at("10.0.0.1:1"), at("192.0.2.7:5")));
  CHECK(limit.connections_of(at("10.0.0.1:1")) == 0);
  CHECK(limit.connections_of(at("192.0.2.7:1")) == 1);
  CHECK(limit.acquire(at("10.0.0.1:2")));
  CHECK(limit.move(at("10.0.0.1:2"), at("192.0.2.7:6")));

  // One too many is counted until it is released.
  CHECK(limit.acquire(at("10.0.0.1:3")));
  CHECK_FALSE(limit.move(at("10.0.0.1:3"), at("192.0.2.7:7")));
  CHECK(limit.connections_of(at("192.0.2.7:1")) == 3);
  limit.release(at("192.0.2.7:7"));
  CHECK(limit.connections_of(at("192.0.2.7:1")) == 2);

  // To the same client, at its limit, and from a peer that is not counted.
  CHECK(limit.move(at("192.0.2.7:5"), at("192.0.2.7:8")));
  CHECK(limit.move(at("unix:/run/web.sock"), at("192.0.2.8:1")));
  CHECK(limit.connections_of(at("192.0.2.8:1")) == 1);
}

TEST_CASE("a limit of zero admits no client") {
  ClientLimit limit(0, 10);
  CHECK_FALSE(limit.acquire(at("10.0.0.1:1")));
  CHECK(limit.clients() == 0);
}

}  // namespace
}  // namespace gray::policy
