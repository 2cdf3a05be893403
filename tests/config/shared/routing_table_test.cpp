#include "config/shared/routing_table.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace gray;

namespace {

RoutingTable sample() {
  WorkerRoute worker{.cell = 1023, .generation = ~0ull, .id = "web@v1#0", .address = *Address::parse("127.0.0.1:9")};
  WorkerRoute other{.cell = 0, .generation = 1, .id = "web@v2#0", .address = *Address::parse("unix:/tmp/w.sock")};
  ServiceRoute service;
  service.name = "web";
  service.hosts = {"example.com"};
  service.paths = {"/api", "/\u00fc\"\\"};
  service.param = "version";
  service.header = "x-version";
  service.cookie = "version";
  service.override_from = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("::/0")};
  service.identity = {*IdentitySource::parse("cookie:uid"), *IdentitySource::parse("client-ip")};
  service.affinity = true;
  service.expose = Expose::decision;
  service.pin = service.asset_retry = service.via = false;
  service.assets = {"/assets", "/\u00fc"};
  service.cookie_same_site = SameSite::none;
  service.cookie_partitioned = true;
  service.limits.max_sockets = 7;
  service.limits.min_rate = 5;
  service.limits.upstream_idle = Duration{1};
  service.stable = 1;
  service.canary = 0;
  service.weight = 0.1 + 0.2;
  service.salt = "web/v1";
  service.versions = {{.row = 63,
                       .name = "v1",
                       .workers = {worker},
                       .probe = {"/up", "a.example", {{"x-a", "b"}}},
                       .probe_timeout = Duration{250}},
                      {.row = 0, .name = "v2", .workers = {other}}};
  service.versions[1].draining = {7, ~0ull};
  service.versions[1].drain_timeout = Duration{1};
  ServiceRoute smallest;
  smallest.versions.resize(1);
  return {.number = ~0ull,
          .services = {service, smallest},
          .issue_seed = ~0ull - 1,
          .leak_detection = LeakDetection::advanced};
}

/// The error that a table gets whose first service has `field` set to `value`; a discarded value removes it.
std::string refusal(const char* field, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(to_json_text(sample()));
  auto& service = json["services"][0];
  if (value.is_discarded())
    service.erase(field);
  else
    service[field] = value;
  std::string error;
  CHECK(!routing_table_from_json(json.dump(), error));
  return error;
}

}  // namespace

TEST_CASE("a table is read back exactly") {
  std::string error;
  const auto table = routing_table_from_json(to_json_text(sample()), error);
  REQUIRE_MESSAGE(table, error);
  CHECK(*table == sample());
  CHECK(*routing_table_from_json(to_json_text(RoutingTable{}), error) == RoutingTable{});
}

TEST_CASE("a text that is not a table is refused with the reason") {
  std::string error;
  for (const char* text :
       {"", "{", "[]", "{\"number\":1}", "{\"number\":-1,\"services\":[]}", "{\"number\":1,\"services\":[1]}"}) {
    error.clear();
    CHECK_MESSAGE(!routing_table_from_json(text, error), text);
    CHECK(error.starts_with("not a routing table: "));
  }
}

TEST_CASE("a table with impossible indices or values is refused and the field is named") {
  using nlohmann::json;
  CHECK(refusal("stable", 2).find("\"stable\"") != std::string::npos);
  CHECK(refusal("canary", json::parse("[2]")).find("\"canary\"") != std::string::npos);
  CHECK(refusal("weight", 100.5).find("\"weight\"") != std::string::npos);
  CHECK(refusal("weight", "5").find("\"weight\"") != std::string::npos);
  CHECK(refusal("expose", "all").find("\"expose\"") != std::string::npos);
  CHECK(refusal("affinity", "identity").find("\"affinity\"") != std::string::npos);
  CHECK(refusal("versions", json::array()).find("\"versions\"") != std::string::npos);
  auto far_row = json::parse(to_json_text(sample()))["services"][0]["versions"];
  far_row[0]["row"] = segment::kVersions;
  CHECK(refusal("versions", far_row).find("\"row\"") != std::string::npos);
  const char* draining = R"([{"row":1,"name":"x","workers":[],"draining":["x"],"drain_timeout":1}])";
  CHECK(refusal("versions", json::parse(draining)).find("\"draining\"") != std::string::npos);
  CHECK(refusal("limits", json::object()).find("\"max_sockets\" is missing") != std::string::npos);
  CHECK(refusal("hosts", json::parse("[1]")).find("\"hosts\" is not text") != std::string::npos);
  CHECK(refusal("override_from", json::parse("[\"x\"]")).find("\"override_from\" is not understood") !=
        std::string::npos);
  CHECK(refusal("later", 1).find("not known here") != std::string::npos);
  CHECK(refusal("salt", json(json::value_t::discarded)).find("\"salt\" is missing") != std::string::npos);
}
