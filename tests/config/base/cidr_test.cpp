#include <doctest/doctest.h>

#include "config/base/network_set.hpp"

using namespace gray;

namespace {

bool contains(const char* network, const char* ip) {
  return NetworkSet({Cidr::parse(network).value()}).contains(parse_ip(ip).value());
}

}  // namespace

TEST_CASE("a network contains its addresses and no others") {
  CHECK(contains("10.0.0.0/8", "10.255.0.1"));
  CHECK(!contains("10.0.0.0/8", "11.0.0.1"));
  CHECK(contains("192.168.4.0/23", "192.168.5.9"));
  CHECK(!contains("192.168.4.0/23", "192.168.6.0"));
  CHECK(contains("fd00::/8", "fd12::1"));
  CHECK(!contains("fd00::/8", "fe80::1"));
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK(!contains("0.0.0.0/0", "::1"));
}

TEST_CASE("a bare IP is a network of one") {
  CHECK(contains("127.0.0.1", "127.0.0.1"));
  CHECK(!contains("127.0.0.1", "127.0.0.2"));
  CHECK(Cidr::parse("::1")->text() == "::1/128");
}

TEST_CASE("a mapped IPv6 address is compared as IPv4, on both sides") {
  CHECK(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK(!contains("::/0", "::ffff:10.1.2.3"));
  CHECK(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST_CASE("the last address of a network has all bits behind the prefix") {
  const auto last = [](const char* network) {
    const Cidr cidr = Cidr::parse(network).value();
    Address address;
    address.kind = cidr.ipv6 ? Address::Kind::ipv6 : Address::Kind::ipv4;
    address.ip = cidr.last_ip();
    return address.ip_text();
  };
  CHECK(last("10.0.0.0/8") == "10.255.255.255");
  CHECK(last("192.168.4.0/23") == "192.168.5.255");
  CHECK(last("127.0.0.1") == "127.0.0.1");
  CHECK(last("2001:db8::/33") == "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff");
}

TEST_CASE("bits behind the prefix do not matter") {
  CHECK(Cidr::parse("10.1.2.3/8") == Cidr::parse("10.0.0.0/8"));
  CHECK(Cidr::parse("10.1.2.3/8")->text() == "10.0.0.0/8");
}

TEST_CASE("text that is not a network is refused") {
  for (const char* text :
       {"", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10/8", "example.com"})
    CHECK_MESSAGE(!Cidr::parse(text), text);
}
