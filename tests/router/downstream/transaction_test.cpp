#include "router/downstream/transaction.hpp"

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("an idle connection holds no transaction, and a peak of them is freed") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Plan plan{{{worker.address()}}};
  plan.limits = few_sockets(200);
  Rig rig(plan);
  const auto pool = [&] {
    return rig.on(
        [](proxy::Shard& shard) { return std::pair{shard.transactions().in_use(), shard.transactions().unused()}; });
  };
  std::vector<Wire> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(rig.dial());
    if (i % 2 == 0) clients.back().write(Rig::request_for());
  }
  REQUIRE(eventually([&] { return worker.requests() == 50; }));
  CHECK(pool().first == 50);
  gate.open();
  for (int i = 0; i < 100; i += 2) CHECK(clients[i].read_answer().status() == 200);
  CHECK(eventually([&] { return pool().first == 0; }));
  CHECK(eventually([&] { return pool().second <= proxy::TransactionPool::kFloor; }));
  clients[0].write(Rig::request_for());
  CHECK(clients[0].read_answer().status() == 200);
}

TEST_CASE("the pool shrinks by half of its surplus each time, and keeps a floor") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Plan plan{{{worker.address()}}};
  plan.limits = few_sockets(200);
  Rig rig(plan);
  std::vector<Wire> clients;
  for (int i = 0; i < 150; ++i) {
    clients.push_back(rig.dial());
    clients.back().write(Rig::request_for());
  }
  REQUIRE(eventually([&] { return worker.requests() == 150; }));
  gate.open();
  for (Wire& client : clients) CHECK(client.read_answer().status() == 200);
  rig.on([](proxy::Shard& shard) {
    constexpr std::size_t kFloor = proxy::TransactionPool::kFloor;
    proxy::TransactionPool& pool = shard.transactions();
    CHECK(pool.in_use() == 0);
    pool.trim();  // knows the peak
    while (pool.unused() > kFloor) {
      const std::size_t before = pool.unused(), freed = pool.trim();
      CHECK(before - pool.unused() == (before - kFloor + 1) / 2);
      CHECK(freed == (before - pool.unused()) * sizeof(proxy::Transaction));
    }
    CHECK(pool.trim() == 0);
    CHECK(pool.unused() == kFloor);
  });
  CHECK(rig.get().status() == 200);
}
