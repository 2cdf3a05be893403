// Sockets to workers: which request gets one, which waits, and that the limits hold on the wire.
#include "router/backends/backends.hpp"

#include <random>

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;
using segment::Reason;

namespace {

/// Answers after the gate is open, and notes how many requests it has had at once.
struct Busy {
  Gate gate;
  std::atomic<int> now{0}, most{0};
  FakeWorker worker{[this](FakeWorker::Call& call) {
    while (call.next()) {
      const int here = ++now;
      for (int seen = most; seen < here && !most.compare_exchange_weak(seen, here);) {
      }
      gate.wait();
      --now;
      call.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(call.number() % 10));
    }
  }};
};

/// A request in flight on a connection of its own.
Wire begin(Rig& rig, std::uint32_t shard = 0) {
  Wire client = rig.dial(shard);
  client.write(Rig::request_for());
  return client;
}

/// Clients that send requests at random moments, each on one connection; returns how many answers were 200.
int hammer(Rig& rig, std::uint32_t shards, int clients, int requests, unsigned seed) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937 random(seed + static_cast<unsigned>(i));
      Wire client = rig.dial(static_cast<std::uint32_t>(i) % shards);
      for (int n = 0; n < requests; ++n) {
        if (random() % 8 == 0) client = rig.dial(static_cast<std::uint32_t>(i) % shards);
        client.write(Rig::request_for());
        good += client.read_answer().status() == 200 ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return good;
}

void check_limit_holds(bool own_slots) {
  constexpr std::uint32_t kLimit = 3;
  constexpr int kClients = 12, kRequests = 60;
  Busy busy;
  busy.gate.open();
  Rig rig({{{busy.worker.address()}}, few_sockets(kLimit)}, {.shards = 2, .own_slots = own_slots});
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::atomic<bool> done{false};
  std::uint32_t most = 0;
  std::thread watcher([&] {
    while (!done) most = std::max(most, rig.sockets(0));
  });
  CHECK(hammer(rig, 2, kClients, kRequests, seed) == kClients * kRequests);
  done = true;
  watcher.join();
  CHECK(most <= kLimit);
  CHECK(busy.most <= static_cast<int>(kLimit));
  CHECK(rig.waiting() == 0);
  CHECK(eventually([&] { return rig.totals().requests == kClients * kRequests; }));
  CHECK(rig.totals().in_flight == 0);
  CHECK(rig.totals().waiting == 0);
}

}  // namespace

TEST_CASE("the socket that was used last is used first") {
  Busy busy;
  Rig rig({{{busy.worker.address()}}});
  Wire first = begin(rig);
  REQUIRE(eventually([&] { return busy.now == 1; }));
  Wire second = begin(rig);
  REQUIRE(eventually([&] { return busy.now == 2; }));
  busy.gate.open();
  first.read_answer();
  second.read_answer();
  REQUIRE(eventually([&] { return rig.idle_sockets() == 2; }));
  const std::string used = rig.get().body;
  for (int i = 0; i < 5; ++i) CHECK(rig.get().body == used);
  CHECK(busy.worker.connections() == 2);
}

TEST_CASE("at most the allowed sockets are open; other requests wait and are served in turn") {
  Busy busy;
  Rig rig({{{busy.worker.address()}}, few_sockets(2)});
  std::vector<Wire> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(begin(rig));
  REQUIRE(eventually([&] { return rig.waiting() == 8; }));
  CHECK(rig.sockets(0) == 2);
  CHECK(rig.totals().waiting == 8);
  busy.gate.open();
  for (Wire& client : clients) CHECK(client.read_answer().status() == 200);
  CHECK(busy.most <= 2);
  CHECK(busy.worker.connections() == 2);
  CHECK(rig.waiting() == 0);
}

TEST_CASE("the limit holds exactly across the threads of a router") { check_limit_holds(false); }

TEST_CASE("the limit holds exactly across two routers") { check_limit_holds(true); }

TEST_CASE("limits hold and every request is served while workers break their connections") {
  std::atomic<unsigned> count{0};
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      if (++count % 5 == 0) return;
      call.write(kOk);
    }
  });
  Rig rig({{{worker.address()}}, few_sockets(2)}, {.shards = 2});
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  const int good = hammer(rig, 2, 8, 40, seed);
  CHECK(good > 200);
  CHECK(eventually([&] { return rig.totals().requests == 320; }));
  CHECK(rig.totals().status_class[2] == static_cast<std::uint64_t>(good));
  CHECK(rig.waiting() == 0);
  CHECK(rig.totals().in_flight == 0);
  CHECK(eventually([&] { return rig.sockets(0) == rig.idle_sockets(0) + rig.idle_sockets(1); }));
}

TEST_CASE("a waiter gets the unit of a socket that broke") {
  Gate gate;
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    if (call.number() == 1) {
      gate.wait();
      return call.reset();
    }
    call.write(kOk);
    call.next();
  });
  Rig rig({{{worker.address()}}, few_sockets(1)});
  Wire first = rig.dial();
  first.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx");
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  Wire second = begin(rig);
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  gate.open();
  CHECK(first.read_answer().status() == 502);
  CHECK(second.read_answer().status() == 200);
}

TEST_CASE("a waiter is served by a worker that appears") {
  Busy busy;
  FakeWorker fresh(says("fresh"));
  Rig rig({{{busy.worker.address()}}, few_sockets(1)});
  Wire first = begin(rig);
  REQUIRE(eventually([&] { return busy.now == 1; }));
  Wire second = begin(rig);
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  rig.apply({{{busy.worker.address(), fresh.address()}}, few_sockets(1), 0, 2});
  CHECK(second.read_answer().body == "fresh");
  busy.gate.open();
  CHECK(first.read_answer().status() == 200);
}

TEST_CASE("a waiter gets a unit that another router has given back") {
  Busy busy;
  Rig rig({{{busy.worker.address()}}, few_sockets(1)}, {.shards = 2, .own_slots = true});
  Wire first = begin(rig, 0);
  REQUIRE(eventually([&] { return busy.now == 1; }));
  Wire second = begin(rig, 1);
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  busy.gate.open();
  CHECK(first.read_answer().status() == 200);
  CHECK(second.read_answer().status() == 200);
  CHECK(rig.handed_over() == 0);
}

TEST_CASE("a freed socket is handed to a thread whose request waits") {
  Busy busy;
  Rig rig({{{busy.worker.address()}}, few_sockets(1)}, {.shards = 2});
  Wire first = begin(rig, 0);
  REQUIRE(eventually([&] { return busy.now == 1; }));
  Wire second = begin(rig, 1);
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  busy.gate.open();
  CHECK(first.read_answer().status() == 200);
  CHECK(second.read_answer().status() == 200);
  CHECK(rig.handed_over() == 1);
  CHECK(busy.worker.connections() == 1);
  CHECK(rig.sockets(0) == 1);
}

TEST_CASE("an idle socket of one thread is handed to a waiter of another thread") {
  Busy busy;
  busy.gate.open();
  Rig rig({{{busy.worker.address()}}, few_sockets(1)}, {.shards = 2});
  begin(rig, 0).read_answer();
  REQUIRE(eventually([&] { return rig.idle_sockets(0) == 1; }));
  CHECK(begin(rig, 1).read_answer().status() == 200);
  CHECK(rig.handed_over() == 1);
  CHECK(busy.worker.connections() == 1);
  CHECK(eventually([&] { return rig.idle_sockets(1) == 1; }));
}

TEST_CASE("a thread without a waiter is not handed a socket") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}}, {.shards = 2});
  rig.get();
  REQUIRE(eventually([&] { return rig.idle_sockets(0) == 1; }));
  rig.on([](proxy::Shard& shard) { shard.backends().offer(1, 0); });
  CHECK(rig.idle_sockets(0) == 1);
}

TEST_CASE("a socket that is handed over too late is closed and its unit given back") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  REQUIRE(rig.segment->workers[0].sockets.acquire(0, 1));
  Wire socket = dial(worker.address());
  const int fd = ::dup(socket.fd());
  socket.close();
  rig.on([&](proxy::Shard& shard) { shard.backends().adopt(fd, 0, 0, worker.address().port + 1u); });
  CHECK(rig.sockets(0) == 0);
  CHECK(eventually([&] { return worker.connections() == 1 && worker.open() == 0; }));
}

TEST_CASE("requests go to the worker with the fewest in flight") {
  Busy first, second;
  Rig rig({{{first.worker.address(), second.worker.address()}}});
  std::vector<Wire> clients;
  for (int i = 1; i <= 6; ++i) {
    clients.push_back(begin(rig));
    REQUIRE(eventually([&] { return first.now + second.now == i; }));
  }
  CHECK(first.now == 3);
  CHECK(second.now == 3);
  first.gate.open();
  second.gate.open();
}

TEST_CASE("a worker that leaves loses its idle sockets at once and the busy one after its answer") {
  Busy busy;
  FakeWorker fresh(says("fresh"));
  Rig rig({{{busy.worker.address()}}});
  Wire first = begin(rig), second = begin(rig);
  REQUIRE(eventually([&] { return busy.now == 2; }));
  second.reset();
  REQUIRE(eventually([&] { return rig.sockets(0) == 1; }));
  rig.apply({{{fresh.address()}}, {}, 0, 2});
  CHECK(rig.get().body == "fresh");
  busy.gate.open();
  CHECK(first.read_answer().status() == 200);
  CHECK(eventually([&] { return busy.worker.open() == 0; }));
  REQUIRE(eventually([&] { return rig.idle_sockets() == 1; }));
  rig.apply({{{}}, {}, 0, 3});
  CHECK(rig.idle_sockets() == 0);
  CHECK(rig.sockets(0) == 0);
  CHECK(rig.get().field("x-gray-reason") == "version-down");
}

TEST_CASE("idle sockets expire") {
  FakeWorker worker(says("x"));
  Plan plan{{{worker.address()}}};
  plan.limits.upstream_idle = Duration{150};
  Rig rig(plan);
  CHECK(rig.get().status() == 200);
  CHECK(eventually([&] { return worker.open() == 0; }));
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));  // given back after the close
  CHECK(rig.get().status() == 200);
  CHECK(worker.connections() == 2);
}

TEST_CASE("while draining, sockets are closed as soon as they are idle") {
  Busy busy;
  Rig rig({{{busy.worker.address()}}});
  Wire first = begin(rig);
  REQUIRE(eventually([&] { return busy.now == 1; }));
  rig.on([](proxy::Shard& shard) { shard.backends().drain(); });
  busy.gate.open();
  CHECK(first.read_answer().status() == 200);
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));
  CHECK(rig.idle_sockets() == 0);
}

TEST_CASE(
    "a stranger at the address of a worker gets no byte; the request goes to another worker, and it is reported once") {
  FakeWorker stranger(says("stranger")), own(says("own"));
  Plan plan{.versions = {{stranger.address(), own.address()}}, .foreign = {stranger.address().port}};
  Rig rig(plan);
  for (int i = 0; i < 20; ++i) CHECK(rig.get().body == "own");
  REQUIRE(eventually([&] { return stranger.connections() > 0 && stranger.open() == 0; }));
  CHECK(stranger.requests() == 0);
  const auto reported = rig.strangers();
  REQUIRE(reported.size() == 1);
  CHECK(reported.front() == std::pair<std::uint64_t, PeerOwner>{stranger.address().port, {::geteuid(), 0}});
  CHECK(rig.sockets(0) == 0);

  plan.foreign.clear();  // the master has found out that it is the worker
  ++plan.number;
  rig.apply(plan);
  CHECK(eventually([&] { return rig.get().body == "stranger"; }));
}

TEST_CASE("a stranger at the address of the only worker makes a request fail as if nobody listened") {
  FakeWorker stranger(says("stranger"));
  Rig rig({.versions = {{stranger.address()}}, .foreign = {stranger.address().port}});
  const Message answer = rig.get();
  CHECK(answer.status() == 502);
  CHECK(answer.field("x-gray-reason") == "connect-failed");
  CHECK(stranger.requests() == 0);
}
