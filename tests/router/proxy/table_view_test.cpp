#include "router/proxy/table_view.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::proxy;

namespace {

ServiceRoute service(const std::string& host, const Limits& limits) {
  ServiceRoute route;
  route.name = host;
  route.hosts = {host};
  route.limits = limits;
  route.versions = {{.row = 0, .name = "v1", .workers = {}}};
  return route;
}

std::shared_ptr<const RoutingTable> table(std::uint64_t number, std::vector<ServiceRoute> services = {}) {
  return std::make_shared<const RoutingTable>(RoutingTable{number, std::move(services)});
}

}  // namespace

TEST_CASE("before a request is routed the widest limits of all services bound it") {
  Limits wide_head, long_wait;
  wide_head.head = 64 * 1024;
  wide_head.fields = 20;
  wide_head.head_timeout = Duration{100};
  wide_head.idle_timeout = Duration{5'000};
  long_wait.head = 2048;
  long_wait.fields = 50;
  long_wait.head_timeout = Duration{700};
  long_wait.idle_timeout = Duration{1'000};
  const TableView view(table(1, {service("a", wide_head), service("b", long_wait)}));
  CHECK(view.head.bytes == 64 * 1024);
  CHECK(view.head.fields == 50);
  CHECK(view.head_timeout == Duration{700});
  CHECK(view.idle_timeout == Duration{5'000});
  CHECK(view.services.size() == 2);
  CHECK(view.service_of("b", "/") == std::optional<std::size_t>(1));
}

TEST_CASE("a table without services has the default limits, so that clients get an answer") {
  const TableView view(table(1));
  const Limits defaults;
  CHECK(view.head.bytes == defaults.head);
  CHECK(view.head_timeout == defaults.head_timeout);
  CHECK_FALSE(view.service_of("a", "/"));
}

TEST_CASE("an old view lasts as long as an exchange holds it") {
  TableViews views;
  CHECK(views.size() == 1);
  views.replace(table(1));
  CHECK(views.size() == 1);
  TableView& first = views.hold();
  TableView& again = views.hold();
  CHECK(&first == &again);
  views.replace(table(2));
  views.replace(table(3));
  CHECK(views.size() == 2);
  CHECK(views.current().table->number == 3);
  CHECK(first.table->number == 1);
  views.drop(first);
  CHECK(views.size() == 2);
  views.drop(again);
  CHECK(views.size() == 1);
}

TEST_CASE("dropping the current view keeps it") {
  TableViews views;
  views.replace(table(1));
  views.drop(views.hold());
  CHECK(views.size() == 1);
  CHECK(views.current().table->number == 1);
}

TEST_CASE("members of log lines that depend on the table only are written once") {
  auto issuing = service("b", {});
  issuing.identity = {{IdentitySource::Kind::cookie, "uid"}, {IdentitySource::Kind::client_ip, ""}};
  const TableView view(table(7, {service("a", {}), issuing}));
  const LogMembers& members = view.log_members(view.services[1]);
  CHECK(members.destinations == std::vector<std::string>{R"("service":"b","version":"v1",)"});
  CHECK(members.no_version == R"("service":"b","version":"",)");
  CHECK(members.sources ==
        std::vector<std::string>{R"("identity_source":"cookie:uid",)", R"("identity_source":"client-ip",)"});
  CHECK(members.rule == R"("salt":"","threshold":"0000000000000000","table":7,"stable":"v1","canary":"",)");
  CHECK(view.unrouted_rule == R"("salt":"","threshold":"0000000000000000","table":7,"stable":"","canary":"",)");
}
