#include "router/policy/route_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "router/http/message.hpp"

namespace gray::policy {
namespace {

ServiceRoute service(std::vector<std::string> hosts, std::vector<std::string> paths) {
  ServiceRoute route;
  route.hosts = std::move(hosts);
  route.paths = std::move(paths);
  return route;
}

TEST_CASE("an empty table routes nothing") {
  CHECK_FALSE(RouteTable().find("example.com", "/").has_value());
  CHECK_FALSE(RouteTable(std::vector<ServiceRoute>{}).find("", "*").has_value());
}

TEST_CASE("a service without hosts and paths takes everything") {
  const RouteTable table({service({}, {})});
  CHECK(table.find("example.com", "/") == 0u);
  CHECK(table.find("", "/x?y") == 0u);
  CHECK(table.find("example.com", "*") == 0u);
}

TEST_CASE("a host is compared without case, port and final dot") {
  const RouteTable table({service({"example.com", "[::1]"}, {})});
  CHECK(table.find("Example.COM", "/") == 0u);
  CHECK(table.find("example.com:8000", "/") == 0u);
  CHECK(table.find("example.com.:8000", "/") == 0u);
  CHECK(table.find("[::1]:8000", "/") == 0u);
  CHECK(table.find("[::1]", "/") == 0u);
  CHECK_FALSE(table.find("[::2]:8000", "/").has_value());
  CHECK_FALSE(table.find("www.example.com", "/").has_value());
  CHECK_FALSE(table.find("example.com.evil", "/").has_value());
  CHECK_FALSE(table.find("", "/").has_value());
}

TEST_CASE("a prefix matches whole segments only") {
  const RouteTable table({service({}, {"/api"})});
  CHECK(table.find("h", "/api") == 0u);
  CHECK(table.find("h", "/api/") == 0u);
  CHECK(table.find("h", "/api/x") == 0u);
  CHECK(table.find("h", "/api?x=/y") == 0u);
  CHECK_FALSE(table.find("h", "/apix").has_value());
  CHECK_FALSE(table.find("h", "/ap").has_value());
  CHECK_FALSE(table.find("h", "/?/api").has_value());
  CHECK_FALSE(table.find("h", "*").has_value());
}

TEST_CASE("a trailing slash of a prefix is ignored, and a single slash means every path") {
  const RouteTable table({service({}, {"/api/"}), service({}, {"/"})});
  CHECK(table.find("h", "/api") == 0u);
  CHECK(table.find("h", "/api/x") == 0u);
  CHECK(table.find("h", "/apix") == 1u);
}

TEST_CASE("the longest prefix wins, whatever the order of the services") {
  const RouteTable table({service({}, {}), service({}, {"/api"}), service({}, {"/api/v2", "/files"})});
  CHECK(table.find("h", "/") == 0u);
  CHECK(table.find("h", "/api/v1") == 1u);
  CHECK(table.find("h", "/api/v2/x") == 2u);
  CHECK(table.find("h", "/files") == 2u);
}

TEST_CASE("a service with hosts beats one without, even with a shorter path") {
  const RouteTable table({service({}, {"/api/v2"}), service({"example.com"}, {"/api"})});
  CHECK(table.find("example.com", "/api/v2") == 1u);
  CHECK(table.find("other.com", "/api/v2") == 0u);
  CHECK_FALSE(table.find("example.com", "/").has_value());
}

TEST_CASE("of two equal rules the first service wins") {
  const RouteTable table({service({"a"}, {"/x"}), service({"a"}, {"/x"})});
  CHECK(table.find("a", "/x") == 0u);
}

/// The rules one after the other, as the contract says them.
std::optional<std::size_t> searched(const std::vector<ServiceRoute>& services, std::string_view host,
                                    std::string_view path) {
  const auto matches = [](std::string_view text, std::string_view prefix) {
    return prefix == "/" || text == prefix || text.starts_with(std::string(prefix) + "/");
  };
  for (const bool named : {true, false}) {
    std::optional<std::size_t> best;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < services.size(); ++i) {
      const auto& hosts = services[i].hosts;
      const bool mine =
          std::ranges::any_of(hosts, [&](const auto& one) { return http::equals_ignoring_case(one, host); });
      if (named ? !mine : !hosts.empty()) continue;
      for (const std::string& prefix : services[i].paths) {
        const std::size_t length = prefix == "/" ? 0 : prefix.size();
        if (matches(path, prefix) && (!best || length > longest)) {
          best = i;
          longest = length;
        }
      }
    }
    if (best) return best;
  }
  return std::nullopt;
}

TEST_CASE("thousands of hosts and paths are found as if they were searched one after the other") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto text = [&](std::size_t most, std::string_view letters) {
    std::string made;
    for (std::size_t i = 0; i <= random() % most; ++i) made += letters[random() % letters.size()];
    return made;
  };
  const auto some_path = [&] {
    std::string path = "/" + text(6, random() % 4 == 0 ? "a/" : "ab/-0");
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
  };
  std::vector<ServiceRoute> services;
  for (int i = 0; i < 100; ++i) {
    std::vector<std::string> hosts, paths;
    for (std::size_t n = random() % 5; n > 0; --n) hosts.push_back(text(3, "abc."));
    for (auto& host : hosts)
      if (host.back() == '.') host.back() = 'a';
    for (std::size_t n = 1 + random() % 30; n > 0; --n) paths.push_back(some_path());
    services.push_back(service(hosts, paths));
  }
  const RouteTable table(services);
  for (int i = 0; i < 3'000; ++i) {
    std::string host = text(3, "abcABC.");
    if (host.back() == '.') host.back() = 'a';
    const std::string path = some_path() + (i % 3 == 0 ? "/" + text(4, "ab/") : "");
    CAPTURE(host);
    CAPTURE(path);
    CHECK(table.find(host, path) == searched(services, host, path));
  }
}

// ---- cost, in comparisons

TEST_CASE("the number of hosts, and of paths of other hosts, does not matter") {
  for (const std::size_t count : {1u, 100u, 1'000u, 10'000u, 50'000u}) {
    std::vector<std::string> hosts;
    for (std::size_t i = 0; i < count; ++i) hosts.push_back("h" + std::to_string(i) + ".example.com");
    const RouteTable table({service(hosts, {"/api"}), service({}, {})});
    CHECK(table.most_host_steps() <= 64);
    for (std::size_t i = 0; i < count; i += 1 + count / 50) {
      const auto found = table.search(hosts[i] + ":8000", "/api/x");
      CHECK(found.service == 0u);
      CHECK(found.steps <= 2);
      CHECK(table.search(hosts[i], "/other").service == 1u);
      CHECK(table.search("x" + hosts[i], "/api").service == 1u);
    }
  }
}

TEST_CASE("the number of paths of a host hardly matters") {
  for (const std::size_t count : {1u, 100u, 1'000u, 10'000u}) {
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < count; ++i) paths.push_back("/team-" + std::to_string(i));
    const RouteTable table({service({"a", "b"}, paths), service({"b"}, {"/"})});
    for (std::size_t i = 0; i < count; i += 1 + count / 50) {
      const auto found = table.search("a", paths[i] + "/x?y"), none = table.search("a", paths[i] + "x");
      CHECK(found.service == 0u);
      CHECK_FALSE(none.service.has_value());
      CHECK(found.steps <= 16);  // 2^14 is above 10,000
      CHECK(none.steps <= 18);
      CHECK(table.search("b", paths[i] + "x").service == 1u);
    }
  }
}

TEST_CASE("paths nested two thousand deep cost as many comparisons as the logarithm of the depth") {
  std::vector<ServiceRoute> services{service({}, {"/"})};
  std::vector<std::string> nested{""};
  for (std::size_t depth = 1; depth < 2'000; ++depth) {
    nested.push_back(nested.back() + "/a");
    services.push_back(service({}, {nested.back()}));
  }
  const RouteTable table(services);
  for (std::size_t depth = 0; depth < 2'000; ++depth) {
    const auto found = table.search("h", nested[depth] + "/b");
    CHECK(found.service == depth);
    CHECK(found.steps <= 11 + 5 * 11 + 2);  // 2^11 is above 2,000
  }
}

}  // namespace
}  // namespace gray::policy
