#include "router/policy/route_table.hpp"

#include <doctest/doctest.h>

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

}  // namespace
}  // namespace gray::policy
