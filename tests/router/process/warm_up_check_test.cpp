#include "router/process/warm_up_check.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::proxy;

namespace {

constexpr TimePoint kStart{std::chrono::hours(1)};

RoutingTable table_with(std::vector<WorkerRoute> workers, std::string path = "/up") {
  RoutingTable table;
  table.services.resize(1);
  table.services[0].versions = {{.row = 0, .name = "v1", .workers = std::move(workers), .probe_path = std::move(path)}};
  return table;
}

WorkerRoute worker(std::uint32_t cell, std::uint64_t generation = 1) {
  return {cell, generation, "web@v1#" + std::to_string(cell), *Address::parse("127.0.0.1:1")};
}

}  // namespace

TEST_CASE("without a table nothing is proven, with an empty one all is") {
  WarmUpCheck proof;
  CHECK_FALSE(proof.complete());
  proof.follow(table_with({}));
  CHECK(proof.complete());
  CHECK(proof.due(kStart).empty());
  CHECK_FALSE(proof.next());
}

TEST_CASE("every worker is asked once, as its version is checked, and must answer") {
  WarmUpCheck proof;
  proof.follow(table_with({worker(1), worker(2)}));
  const auto asked = proof.due(kStart);
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].path == "/up");
  CHECK(asked[0].address == *Address::parse("127.0.0.1:1"));
  CHECK(WarmUpCheck::is_ours(asked[0].id));
  CHECK(asked[0].id != asked[1].id);
  CHECK(proof.due(kStart).empty());
  proof.probed(asked[0].id, true, "status 200", kStart);
  CHECK_FALSE(proof.complete());
  proof.probed(asked[0].id, true, "status 200", kStart);  // a second answer to the same question is none
  CHECK_FALSE(proof.complete());
  proof.probed(asked[1].id, true, "status 200", kStart);
  CHECK(proof.complete());
}

TEST_CASE("who does not answer is asked again a moment later, and complained of") {
  WarmUpCheck proof;
  proof.follow(table_with({worker(1)}));
  const auto first = proof.due(kStart);
  proof.probed(first.at(0).id, false, "status 500", kStart);
  CHECK(proof.complaint() == "web@v1#1: status 500");
  CHECK(proof.due(kStart).empty());
  CHECK(proof.next() == kStart + WarmUpCheck::kRetry);
  const auto again = proof.due(kStart + WarmUpCheck::kRetry);
  REQUIRE(again.size() == 1);
  CHECK_FALSE(proof.next());
  proof.probed(first.at(0).id, true, "", kStart);  // too late
  CHECK_FALSE(proof.complete());
  proof.probed(again.at(0).id, true, "", kStart);
  CHECK(proof.complete());
}

TEST_CASE("a later table only takes away: unhealthy workers, processes that were replaced") {
  WarmUpCheck proof;
  proof.follow(table_with({worker(1), worker(2), worker(3)}));
  const auto asked = proof.due(kStart);
  proof.follow(table_with({worker(2, 2), worker(3), worker(4)}));
  proof.probed(asked.at(0).id, false, "late", kStart);
  CHECK(proof.complaint().empty());
  CHECK_FALSE(proof.complete());
  CHECK(proof.due(kStart).empty());
  proof.probed(asked.at(2).id, true, "", kStart);
  CHECK(proof.complete());
}

TEST_CASE("no more than kAtOnce probes are in flight, whatever is taken away meanwhile") {
  std::vector<WorkerRoute> many;
  for (std::uint32_t cell = 0; cell < 3 * WarmUpCheck::kAtOnce; ++cell) many.push_back(worker(cell));
  WarmUpCheck proof;
  proof.follow(table_with(many));
  auto asked = proof.due(kStart);
  CHECK(asked.size() == WarmUpCheck::kAtOnce);
  CHECK(proof.due(kStart).empty());
  CHECK_FALSE(proof.next());
  many.erase(many.begin(), many.begin() + WarmUpCheck::kAtOnce);
  proof.follow(table_with(many));
  CHECK(proof.next());
  asked = proof.due(kStart);
  CHECK(asked.size() == WarmUpCheck::kAtOnce);
  for (const auto& request : asked) proof.probed(request.id, true, "", kStart);
  for (const auto& request : proof.due(kStart)) proof.probed(request.id, true, "", kStart);
  CHECK(proof.complete());
}
