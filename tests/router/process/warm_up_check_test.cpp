#include "router/process/warm_up_check.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::proxy;

namespace {

constexpr TimePoint kStart{std::chrono::hours(1)};

RoutingTable table_with(std::vector<WorkerRoute> workers, std::string path = "/up") {
  RoutingTable table;
  table.services.resize(1);
  table.services[0].versions = {
      {.row = 0, .name = "v1", .workers = std::move(workers), .probe = {.path = std::move(path)}}};
  return table;
}

WorkerRoute worker(std::uint32_t cell, std::uint64_t generation = 1) {
  return {cell, generation, "web@v1#" + std::to_string(cell), *Address::parse("127.0.0.1:1"), 4711};
}

}  // namespace

TEST_CASE("the check is not complete without a table, and complete with an empty one") {
  WarmUpCheck check;
  CHECK_FALSE(check.complete());
  check.follow(table_with({}));
  CHECK(check.complete());
  CHECK(check.due(kStart).empty());
  CHECK_FALSE(check.next());
}

TEST_CASE("every worker is probed once, with the settings of its version, and must answer") {
  WarmUpCheck check;
  check.follow(table_with({worker(1), worker(2)}));
  const auto asked = check.due(kStart);
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].http.path == "/up");
  CHECK(asked[0].owner == 4711);
  CHECK(asked[0].address == *Address::parse("127.0.0.1:1"));
  CHECK(WarmUpCheck::is_ours(asked[0].id));
  CHECK(asked[0].id != asked[1].id);
  CHECK(check.due(kStart).empty());
  check.probed(asked[0].id, true, "status 200", kStart);
  CHECK_FALSE(check.complete());
  check.probed(asked[0].id, true, "status 200", kStart);  // a second answer to the same probe is ignored
  CHECK_FALSE(check.complete());
  check.probed(asked[1].id, true, "status 200", kStart);
  CHECK(check.complete());
}

TEST_CASE("a worker that does not answer is probed again after kRetry, and is named in the complaint") {
  WarmUpCheck check;
  check.follow(table_with({worker(1)}));
  const auto first = check.due(kStart);
  check.probed(first.at(0).id, false, "status 500", kStart);
  CHECK(check.complaint() == "web@v1#1: status 500");
  CHECK(check.due(kStart).empty());
  CHECK(check.next() == kStart + WarmUpCheck::kRetry);
  const auto again = check.due(kStart + WarmUpCheck::kRetry);
  REQUIRE(again.size() == 1);
  CHECK_FALSE(check.next());
  check.probed(first.at(0).id, true, "", kStart);  // too late
  CHECK_FALSE(check.complete());
  check.probed(again.at(0).id, true, "", kStart);
  CHECK(check.complete());
}

TEST_CASE("a later table only removes workers: unhealthy ones and replaced processes") {
  WarmUpCheck check;
  check.follow(table_with({worker(1), worker(2), worker(3)}));
  const auto asked = check.due(kStart);
  check.follow(table_with({worker(2, 2), worker(3), worker(4)}));
  check.probed(asked.at(0).id, false, "late", kStart);
  CHECK(check.complaint().empty());
  CHECK_FALSE(check.complete());
  CHECK(check.due(kStart).empty());
  check.probed(asked.at(2).id, true, "", kStart);
  CHECK(check.complete());
}

TEST_CASE("at most kAtOnce probes are in flight, also when workers are removed meanwhile") {
  std::vector<WorkerRoute> many;
  for (std::uint32_t cell = 0; cell < 3 * WarmUpCheck::kAtOnce; ++cell) many.push_back(worker(cell));
  WarmUpCheck check;
  check.follow(table_with(many));
  auto asked = check.due(kStart);
  CHECK(asked.size() == WarmUpCheck::kAtOnce);
  CHECK(check.due(kStart).empty());
  CHECK_FALSE(check.next());
  many.erase(many.begin(), many.begin() + WarmUpCheck::kAtOnce);
  check.follow(table_with(many));
  CHECK(check.next());
  asked = check.due(kStart);
  CHECK(asked.size() == WarmUpCheck::kAtOnce);
  for (const auto& request : asked) check.probed(request.id, true, "", kStart);
  for (const auto& request : check.due(kStart)) check.probed(request.id, true, "", kStart);
  CHECK(check.complete());
}
