#include "router/policy/client_key.hpp"

#include <doctest/doctest.h>

using namespace gray;
using policy::client_key;

TEST_CASE("a key is an address without its port, an IPv4 address and its mapped form are one, unix peers have none") {
  const auto key = [](std::string_view text) { return client_key(Address::parse(text).value()); };
  CHECK(key("10.0.0.1:1") == key("10.0.0.1:2"));
  CHECK(key("10.0.0.1:1") != key("10.0.0.2:1"));
  CHECK(key("10.0.0.1:1") == key("[::ffff:10.0.0.1]:1"));
  CHECK(key("[::1]:1") == key("[::1]:2"));
  CHECK(key("[::1]:1") != key("[::2]:1"));
  CHECK_FALSE(key("unix:/run/x").has_value());
  CHECK(policy::ClientKeyHash()(*key("10.0.0.1:1")) == policy::ClientKeyHash()(*key("10.0.0.1:9")));
}
