#include "config/base/network_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace gray;

namespace {

std::vector<Cidr> networks(std::initializer_list<const char*> texts) {
  std::vector<Cidr> list;
  for (const char* text : texts) list.push_back(*Cidr::parse(text));
  return list;
}

/// Bit by bit.
bool is_in(const Cidr& network, const Address& address) {
  if (network.ipv6 != (address.kind == Address::Kind::ipv6)) return false;
  const auto bit = [](const auto& ip, unsigned i) { return ip[i / 8] >> (7 - i % 8) & 1; };
  for (unsigned i = 0; i < network.bits; ++i)
    if (bit(network.ip, i) != bit(address.ip, i)) return false;
  return true;
}

bool holds(const NetworkSet& set, const char* ip) { return set.contains(*parse_ip(ip)); }

}  // namespace

TEST_CASE("an address is in the set if it is in one of the networks") {
  const NetworkSet set(networks({"10.0.0.0/8", "192.168.1.0/24", "127.0.0.1", "2001:db8::/32", "::1"}));
  for (const char* inside : {"10.0.0.0", "10.255.255.255", "192.168.1.7", "127.0.0.1", "2001:db8::", "::1",
                             "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.1.2.3"})
    CHECK_MESSAGE(holds(set, inside), inside);
  for (const char* outside : {"9.255.255.255", "11.0.0.0", "192.168.2.0", "127.0.0.2", "2001:db9::", "::2",
                              "::", "::ffff:11.0.0.0", "0.0.0.0", "255.255.255.255"})
    CHECK_MESSAGE(!holds(set, outside), outside);
}

TEST_CASE("the whole of each IP version, and nothing") {
  const NetworkSet all(networks({"0.0.0.0/0", "::/0"}));
  for (const char* ip : {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    CHECK(holds(all, ip));
  CHECK_FALSE(holds(NetworkSet(), "127.0.0.1"));
  CHECK_FALSE(holds(NetworkSet(networks({"::/0"})), "127.0.0.1"));
  CHECK_FALSE(holds(NetworkSet(networks({"0.0.0.0/0"})), "::1"));
}

TEST_CASE("a unix peer is in no network") {
  CHECK_FALSE(NetworkSet(networks({"0.0.0.0/0", "::/0"})).contains(*Address::parse("unix:/run/s")));
}

TEST_CASE("random networks, nested and repeated, give the same answers as each network in turn") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<Cidr> list;
    const auto byte = [&random] { return random() % 4 * 85; };  // few values, so that networks meet
    const auto ip = [&](bool ipv6) {
      Address address;
      address.kind = ipv6 ? Address::Kind::ipv6 : Address::Kind::ipv4;
      for (std::size_t i = 0; i < (ipv6 ? 16u : 4u); ++i) address.ip[i] = static_cast<std::uint8_t>(byte());
      return address;
    };
    for (auto count = random() % 12; count > 0; --count) {
      const bool ipv6 = random() % 2 == 0;
      list.push_back(*Cidr::parse(ip(ipv6).ip_text() + "/" + std::to_string(random() % (ipv6 ? 129 : 33))));
    }
    const NetworkSet set(list);
    for (int i = 0; i < 100; ++i) {
      const Address address = ip(random() % 2 == 0);
      const bool expected = std::ranges::any_of(list, [&](const Cidr& network) { return is_in(network, address); });
      CHECK(set.contains(address) == expected);
    }
  }
}

TEST_CASE("the number of networks hardly matters: a look-up compares with as many as its logarithm") {
  for (const std::uint32_t count : {1u, 1'000u, 4'000u, 10'000u}) {
    std::vector<Cidr> list;
    const auto text = [](std::uint32_t i, const char* last) {
      return "10." + std::to_string(i / 200) + "." + std::to_string(i % 200) + "." + last;
    };
    for (std::uint32_t i = 0; i < count; ++i) {
      list.push_back(*Cidr::parse(text(i, "0/26")));
      list.push_back(*Cidr::parse("fd00:" + std::to_string(i % 5'000) + ":" + std::to_string(i / 5'000) + "::/48"));
    }
    const NetworkSet set(list);
    for (std::uint32_t i = 0; i < count; i += 1 + count / 100) {
      const auto inside = set.search(*parse_ip(text(i, "7"))), outside = set.search(*parse_ip(text(i, "77")));
      const auto ipv6 =
          set.search(*parse_ip("fd00:" + std::to_string(i % 5'000) + ":" + std::to_string(i / 5'000) + "::1"));
      CHECK(inside.found);
      CHECK_FALSE(outside.found);
      CHECK(ipv6.found);
      for (const auto& one : {inside, outside, ipv6}) CHECK(one.steps <= 14);  // 2^14 is above 10,000
    }
  }
}
