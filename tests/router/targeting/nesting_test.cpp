#include "router/targeting/nesting.hpp"

#include <doctest/doctest.h>

#include <random>

namespace gray::targeting {

TEST_CASE("the longest prefix of a path, and the ones around it") {
  PathSets paths;
  for (const char* path : {"/a", "/a/b", "/a-b", "/", "/a/b/c", "/a/b"}) paths.add(path);
  paths.settle();
  CHECK(paths.nesting().size() == 5);
  const auto set = [&](const char* path) { return paths.number_of(path); };
  CHECK(paths.find("/a/b/x") == set("/a/b"));
  CHECK(paths.find("/a/bb") == set("/a"));
  CHECK(paths.find("/a-b/c") == set("/a-b"));
  CHECK(paths.find("/z") == set("/"));
  CHECK(paths.find("*") == Nesting::kNone);
  CHECK(paths.nesting().outer(set("/a/b/c")) == set("/a/b"));
  CHECK(paths.nesting().outer(set("/a")) == set("/"));
  CHECK(paths.nesting().outer(set("/")) == Nesting::kNone);
  CHECK(paths.nesting().contains(set("/a"), set("/a/b/c")));
  CHECK(paths.nesting().contains(set("/a"), set("/a")));
  CHECK_FALSE(paths.nesting().contains(set("/a"), set("/a-b")));
  CHECK_FALSE(paths.nesting().contains(set("/a/b"), set("/a")));
}

TEST_CASE("of several sets only the outermost are kept") {
  PathSets paths;
  for (const char* path : {"/a", "/a/b", "/c", "/c/d"}) paths.add(path);
  paths.settle();
  const auto& nesting = paths.nesting();
  const auto set = [&](const char* path) { return paths.number_of(path); };
  const auto kept = nesting.outermost({set("/c/d"), set("/a/b"), set("/a")});
  CHECK(kept == std::vector<std::uint32_t>{set("/a"), set("/c/d")});
  CHECK(nesting.any_contains(kept, set("/a/b")));
  CHECK(nesting.any_contains(kept, set("/c/d")));
  CHECK_FALSE(nesting.any_contains(kept, set("/c")));
  CHECK_FALSE(nesting.any_contains(kept, Nesting::kNone));
  CHECK_FALSE(nesting.any_contains({}, set("/a")));
}

TEST_CASE("the search outwards gives what one set after the other gives, in few steps") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const std::uint32_t turns : {0u, 2u, 40u, 4'000u}) {  // the rarer a turn, the deeper
    std::vector<std::uint32_t> outer{Nesting::kNone};
    Nesting nesting;
    for (std::uint32_t set = 1; set < 4'000; ++set) {
      std::uint32_t around = set - 1;
      while (turns > 0 && around != Nesting::kNone && random() % turns == 0) around = outer[around];
      outer.push_back(around);
    }
    nesting.build(outer.size(), [&](std::uint32_t i, std::uint32_t j) { return outer[i] == j; });
    for (int i = 0; i < 1'000; ++i) {
      const auto start = static_cast<std::uint32_t>(random() % outer.size());
      const auto last = static_cast<std::uint32_t>(random() % outer.size());
      std::uint32_t expected = start, steps = 0;
      while (expected != Nesting::kNone && expected > last) expected = outer[expected];
      CHECK(nesting.outwards(start, [&](std::uint32_t set) { return ++steps, set <= last; }) == expected);
      CHECK(steps <= 5 * 12 + 2);  // 2^12 is above the greatest depth
    }
  }
}

TEST_CASE("the smallest network of an address") {
  NetworkSets networks;
  const auto network = [](const char* text) { return *Cidr::parse(text); };
  for (const char* text : {"10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.0.0.0/16"})
    networks.add(network(text));
  networks.settle();
  const auto set = [&](const char* text) { return networks.number_of(network(text)); };
  const auto found = [&](const char* ip) { return networks.find(*parse_ip(ip)); };
  CHECK(found("10.1.2.3") == set("10.1.0.0/16"));
  CHECK(found("10.0.2.3") == set("10.0.0.0/16"));
  CHECK(found("10.2.0.0") == set("10.0.0.0/8"));
  CHECK(found("255.255.255.255") == set("0.0.0.0/0"));
  CHECK(found("::ffff:10.1.0.0") == set("10.1.0.0/16"));
  CHECK(found("2001:db8::1") == set("2001:db8::/32"));
  CHECK(found("::1") == set("::/0"));
  CHECK(networks.find(*Address::parse("unix:/x")) == Nesting::kNone);
  CHECK(networks.nesting().outer(set("10.1.0.0/16")) == set("10.0.0.0/8"));
  CHECK(networks.nesting().outer(set("::/0")) == Nesting::kNone);
  NetworkSets none;
  none.settle();
  CHECK(none.find(*parse_ip("10.0.0.1")) == Nesting::kNone);
}

}  // namespace gray::targeting
