// Tests with an engine that closes late: no unit is given back before its socket is closed, none is lost, and no
// request is refused while a unit is about to become free.
#include <thread>

#include "tests/router/backends/deferring_engine.hpp"
#include "tests/router/process/upgrades.hpp"

using namespace gray;
using namespace gray::test;
using segment::Reason;

namespace {

constexpr Duration kLong{60'000};

/// Shards on engines that close late.
struct Deferring {
  std::vector<DeferringEngine*> engines;
  Rig rig;
  explicit Deferring(const Plan& plan, RigOptions options = {},
                     DeferringEngine::Mode mode = DeferringEngine::Mode::at_once)
      : rig(plan, with_engines(std::move(options), mode)) {}

  void hold(std::uint32_t shard = 0) {
    rig.on([&](proxy::Shard&) { engines[shard]->hold(); }, shard);
  }
  void end_held(std::uint32_t shard = 0) {
    rig.on([&](proxy::Shard&) { engines[shard]->end_held(); }, shard);
  }
  bool holds(std::size_t count, std::uint32_t shard = 0) {
    return eventually([&] { return rig.on([&](proxy::Shard&) { return engines[shard]->held(); }, shard) == count; });
  }
  std::size_t open_streams() {
    return rig.on([](proxy::Shard& shard) { return shard.engine().open_streams(); });
  }

 private:
  RigOptions with_engines(RigOptions options, DeferringEngine::Mode mode) {
    options.make_engine = [this, mode](engine::BufferPool& buffers) {
      auto made = std::make_unique<DeferringEngine>(buffers, mode);
      engines.push_back(made.get());
      return made;
    };
    return options;
  }
};

Plan one_socket(const FakeWorker& worker, std::uint32_t queue = 0) {
  Plan plan{{{worker.address()}}};
  plan.limits.max_sockets = 1;
  plan.limits.queue = queue;
  plan.limits.queue_grows = false;
  plan.limits.queue_timeout = Duration{8'000};
  return plan;
}

FakeWorker::Script says_nothing() {
  return [](FakeWorker::Call& call) {
    while (call.next()) {
    }
  };
}

FakeWorker::Script answers_when(Gate& open) {
  return [&open](FakeWorker::Call& call) {
    while (call.next()) {
      open.wait();
      call.write(kOk);
    }
  };
}

/// Answers, but leaves the second request of its first connection without an answer.
FakeWorker::Script goes_stale() {
  return [](FakeWorker::Call& call) {
    for (int count = 1; call.next(); ++count) {
      if (call.number() == 1 && count == 2) return;
      call.write(kOk);
    }
  };
}

}  // namespace

TEST_CASE("the unit of an idle socket is given back when it is closed") {
  FakeWorker worker(says("x"));
  Deferring late({{{worker.address()}}});
  CHECK(late.rig.get().status() == 200);
  REQUIRE(eventually([&] { return late.rig.idle_sockets() == 1 && late.rig.closed_clients() == 1; }));
  late.hold();
  late.rig.apply({{{}}, {}, 0, 2});
  CHECK(late.rig.idle_sockets() == 0);
  REQUIRE(late.holds(1));
  CHECK(late.rig.sockets(0) == 1);
  CHECK(worker.open() == 1);
  CHECK(late.rig.unused() == 0);
  late.end_held();
  CHECK(eventually([&] { return late.rig.sockets(0) == 0 && worker.open() == 0; }));
}

TEST_CASE("a worker that left the table is reported as unused when its last socket is closed, and only then") {
  Gate gate;
  FakeWorker worker(answers_when(gate));
  Deferring late({{{worker.address()}}});
  Wire first = late.rig.dial(), second = late.rig.dial();
  first.write(Rig::request_for());
  second.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 2; }));
  late.rig.apply({{{}}, {}, 0, 2});
  CHECK(late.rig.unused() == 0);
  late.hold();
  gate.open();
  CHECK(first.read_answer().status() == 200);
  CHECK(second.read_answer().status() == 200);
  REQUIRE(late.holds(2));
  CHECK(late.rig.unused() == 0);
  late.end_held();
  CHECK(eventually([&] { return late.rig.unused() == 1; }));
  CHECK(late.rig.sockets(0) == 0);
}

TEST_CASE("a client that goes gives its own unit and its worker's back when they are closed") {
  FakeWorker worker(says_nothing());
  Deferring late({{{worker.address()}}});
  Wire client = late.rig.dial();
  client.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  late.hold();
  client.reset();
  REQUIRE(late.holds(2));
  CHECK(late.rig.sockets(0) == 1);
  CHECK(late.rig.closed_clients() == 0);
  CHECK(late.rig.totals().requests == 1);
  late.end_held();
  CHECK(eventually([&] { return late.rig.sockets(0) == 0 && late.rig.closed_clients() == 1; }));
  CHECK(late.open_streams() == 0);
}

TEST_CASE("a client counts while its connection lingers") {
  FakeWorker worker(says("x"));
  Deferring late({{{worker.address()}}});
  Wire client = late.rig.dial();
  client.write("nonsense\r\n\r\n");
  CHECK(client.read_answer().status() == 400);
  late.rig.on([](proxy::Shard&) {});
  CHECK(late.rig.closed_clients() == 0);
  late.hold();
  client.close();
  REQUIRE(late.holds(1));
  CHECK(late.rig.closed_clients() == 0);
  late.end_held();
  CHECK(eventually([&] { return late.rig.closed_clients() == 1; }));
}

TEST_CASE("a worker that does not answer in time keeps its unit until its socket is closed") {
  FakeWorker worker(says_nothing());
  Plan plan = one_socket(worker);
  plan.limits.request_timeout = Duration{100};
  Deferring late(plan);
  Wire client = late.rig.dial();
  late.hold();
  client.write(Rig::request_for());
  CHECK(client.read_answer().status() == 504);
  CHECK(late.holds(1));
  CHECK(late.rig.sockets(0) == 1);
  late.end_held();
  CHECK(eventually([&] { return late.rig.sockets(0) == 0; }));
}

TEST_CASE("a retry at the limit waits for the unit of the socket that failed it, and is not refused") {
  FakeWorker worker(goes_stale());
  Deferring late(one_socket(worker));
  Wire client = late.rig.dial();
  client.write(Rig::request_for());
  CHECK(client.read_answer().status() == 200);
  late.hold();
  client.write(Rig::request_for());
  REQUIRE(late.holds(1));
  CHECK(late.rig.sockets(0) == 1);
  CHECK(late.rig.totals().requests == 1);
  CHECK(worker.connections() == 1);
  SUBCASE("and is answered") {
    late.end_held();
    CHECK(client.read_answer().status() == 200);
    CHECK(worker.connections() == 2);
    CHECK(late.rig.sockets(0) == 1);
  }
  SUBCASE("its client leaves meanwhile") {
    client.close();
    REQUIRE(late.holds(2));
    late.end_held();
    CHECK(eventually([&] { return late.rig.sockets(0) == 0 && late.rig.closed_clients() == 1; }));
    CHECK(late.rig.get().status() == 200);
  }
  SUBCASE("a new worker becomes able meanwhile") {
    FakeWorker fresh(says("fresh"));
    Plan plan = one_socket(worker);
    plan.versions[0].push_back(fresh.address());
    plan.number = 2;
    late.rig.apply(plan);
    CHECK(client.read_answer().body == "fresh");
    late.end_held();
    CHECK(eventually([&] { return late.rig.sockets(0) == 0 && late.rig.sockets(1) == 1; }));
  }
  SUBCASE("its worker leaves meanwhile: the unit cannot be used, and the request waits in the queue") {
    late.rig.apply({{{}}, {}, 0, 2});
    CHECK(late.rig.waiting() == 1);
    FakeWorker fresh(says("fresh"));
    Plan plan = one_socket(fresh);
    plan.number = 3;
    late.end_held();
    late.rig.apply(plan);
    CHECK(client.read_answer().body == "fresh");
  }
  CHECK(late.rig.reason(Reason::queue_full) == 0);
  CHECK(late.rig.waiting() == 0);
}

TEST_CASE("a retry whose unit another router took waits in the queue, even if that is full") {
  FakeWorker worker(goes_stale());
  Deferring late(one_socket(worker));
  Wire client = late.rig.dial();
  client.write(Rig::request_for());
  CHECK(client.read_answer().status() == 200);
  late.hold();
  client.write(Rig::request_for());
  REQUIRE(late.holds(1));
  auto& sockets = late.rig.segment->workers[0].sockets;
  REQUIRE(sockets.acquire(3, 2));  // acts as a router that was faster
  late.end_held();
  REQUIRE(eventually([&] { return late.rig.waiting() == 1; }));
  sockets.release(3);
  late.rig.on([](proxy::Shard& shard) { shard.backends().serve_waiters(); });  // and notifies
  CHECK(client.read_answer().status() == 200);
  CHECK(late.rig.waiting() == 0);
}

TEST_CASE("the only worker that broke a first attempt is tried again at its limit") {
  FakeWorker worker([](FakeWorker::Call& call) {
    if (call.number() == 1) {
      call.next();
      return;
    }
    while (call.next()) call.write(kOk);
  });
  Deferring late(one_socket(worker));
  late.hold();
  Wire client = late.rig.dial();
  client.write(Rig::request_for());
  REQUIRE(late.holds(1));
  late.end_held();
  CHECK(client.read_answer().status() == 200);
  CHECK(late.rig.reason(Reason::queue_full) == 0);
}

TEST_CASE("a new request takes the unit of a socket that is being closed, if no request waits before it") {
  FakeWorker worker(says_nothing());
  Deferring late(one_socket(worker));
  Wire first = late.rig.dial();
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  late.hold();
  first.reset();
  REQUIRE(late.holds(2));
  Wire second = late.rig.dial(), third = late.rig.dial();
  second.write(Rig::request_for());
  third.write(Rig::request_for());  // one unit becomes free, not two
  CHECK(eventually([&] { return late.rig.reason(Reason::queue_full) == 1; }));
  late.end_held();
  CHECK(eventually([&] { return worker.requests() == 2; }));
  CHECK(late.rig.sockets(0) == 1);
}

TEST_CASE("a retry of an upgrade needs no second tunnel") {
  FakeWorker worker([](FakeWorker::Call& call) {
    for (int count = 1; call.next(); ++count) {
      if (call.number() == 1 && count == 2) return;
      call.write(count == 1 && call.number() == 1 ? kOk : kSwitch);
    }
  });
  Plan plan = one_socket(worker);
  plan.limits.tunnels = 1;
  Deferring late(plan);
  Wire client = late.rig.dial();
  client.write(Rig::request_for());
  CHECK(client.read_answer().status() == 200);
  late.hold();
  client.write(ask_for("chat/1"));
  REQUIRE(late.holds(1));
  CHECK(late.rig.tunnels(0) == 0);
  late.end_held();
  CHECK(client.read_answer().status() == 101);
  CHECK(late.rig.tunnels(0) == 1);
}

TEST_CASE("a tunnel counts until its socket is closed, however it ends") {
  FakeWorker worker(upgrades());
  Deferring late({{{worker.address()}}});
  Wire client = tunnel_to(late.rig);
  CHECK(echo(client, "hello") == "hello");
  CHECK(late.rig.sockets(0) == 0);
  late.hold();
  SUBCASE("the client resets it") { client.reset(); }
  SUBCASE("both sides end it") { client.close(); }
  SUBCASE("its time is up") {
    late.rig.on([](proxy::Shard& shard) { shard.drain(Duration{100}, true); });
    client.read_rest();
    client.close();
  }
  REQUIRE(late.holds(2));
  CHECK(late.rig.tunnels(0) == 1);
  CHECK(late.rig.closed_clients() == 0);
  CHECK(late.rig.drained_shards() == 0);
  late.end_held();
  CHECK(eventually([&] { return late.rig.tunnels(0) == 0 && late.rig.closed_clients() == 1; }));
}

TEST_CASE("a drain ends when everything is closed, and its deadline does not wait for a peer") {
  FakeWorker quick(says("x")), silent(says_nothing());
  Deferring late({{{quick.address()}, {silent.address()}}});
  Wire idle = late.rig.dial(), busy = late.rig.dial(), lingering = late.rig.dial();
  idle.write(Rig::request_for());
  CHECK(idle.read_answer().status() == 200);
  busy.write(Rig::request_for("/?version=v2"));
  REQUIRE(eventually([&] { return silent.requests() == 1; }));
  lingering.write("nonsense\r\n\r\n");
  CHECK(lingering.read_answer().status() == 400);
  late.hold();
  late.rig.on([&](proxy::Shard& shard) {
    shard.probe({1, silent.address(), {.path = "/"}, kLong});
    shard.drain(Duration{50}, true);
  });
  // The three clients, both workers and the probe.
  REQUIRE(late.holds(6));
  CHECK(late.rig.drained_shards() == 0);
  CHECK(late.rig.closed_clients() == 0);
  CHECK(late.rig.sockets(0) == 1);
  CHECK(late.rig.sockets(8) == 1);
  late.end_held();
  CHECK(eventually([&] { return late.rig.drained_shards() == 1; }));
  CHECK(late.rig.closed_clients() == 3);
  CHECK(late.rig.sockets(0) + late.rig.sockets(8) == 0);
  CHECK(late.rig.probes().empty());
  CHECK(late.open_streams() == 0);
}

TEST_CASE("a probe lives until its socket is closed, and reports before") {
  FakeWorker worker(answers(std::string(kOk)));
  Deferring late({});
  late.hold();
  late.rig.on([&](proxy::Shard& shard) { shard.probe({1, worker.address(), {.path = "/healthz"}, kLong}); });
  REQUIRE(eventually([&] { return late.rig.probes().count(1) == 1; }));
  CHECK(late.rig.probes().at(1).first);
  REQUIRE(late.holds(1));
  CHECK(late.open_streams() == 1);
  CHECK(worker.open() == 1);
  late.end_held();
  CHECK(eventually([&] { return late.open_streams() == 0 && worker.open() == 0; }));
  CHECK(late.rig.probes().size() == 1);
}

TEST_CASE("a socket that is handed to a neighbour keeps its unit on the way") {
  Gate gate;
  FakeWorker worker(answers_when(gate));
  Deferring late(one_socket(worker, 8), {.shards = 2});
  Wire first = late.rig.dial(0), second = late.rig.dial(1);
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  second.write(Rig::request_for());
  REQUIRE(eventually([&] { return late.rig.waiting() == 1; }));
  late.hold(0);
  gate.open();
  CHECK(first.read_answer().status() == 200);
  REQUIRE(late.holds(1, 0));
  CHECK(late.rig.sockets(0) == 1);
  int handed_over = 1, connections = 1;
  SUBCASE("") {}
  SUBCASE("and gives it back if it cannot be detached") {
    late.rig.on([&](proxy::Shard&) { late.engines[0]->lose_released(); });
    handed_over = 0;
    connections = 2;
  }
  late.end_held(0);
  CHECK(second.read_answer().status() == 200);
  CHECK(late.rig.handed_over() == handed_over);
  CHECK(worker.connections() == connections);
  CHECK(late.rig.sockets(0) == 1);
}

TEST_CASE("a socket that no neighbour needs any more is adopted again") {
  Gate gate;
  FakeWorker worker(answers_when(gate));
  Deferring late(one_socket(worker, 8), {.shards = 2});
  Wire first = late.rig.dial(0), second = late.rig.dial(1);
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  second.write(Rig::request_for());
  REQUIRE(eventually([&] { return late.rig.waiting() == 1; }));
  late.hold(0);
  gate.open();
  CHECK(first.read_answer().status() == 200);
  REQUIRE(late.holds(1, 0));
  second.reset();
  REQUIRE(eventually([&] { return late.rig.waiting() == 0; }));
  late.end_held(0);
  CHECK(eventually([&] { return late.rig.idle_sockets(0) == 1; }));
  CHECK(late.rig.sockets(0) == 1);
  CHECK(late.rig.handed_over() == 0);
}

TEST_CASE("limits hold and every request is served while workers break connections and closing is slow") {
  constexpr int kClients = 8, kRequests = 40;
  constexpr std::uint32_t kLimit = 2;
  std::atomic<unsigned> count{0};
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      if (++count % 5 == 0) return;
      call.write(kOk);
    }
  });
  Plan plan{{{worker.address()}}};
  plan.limits.max_sockets = kLimit;
  plan.limits.queue_timeout = Duration{8'000};
  Deferring late(plan, {.shards = 2}, DeferringEngine::Mode::late);
  std::atomic<bool> done{false};
  std::uint32_t most = 0;
  std::thread watcher([&] {
    while (!done) most = std::max(most, late.rig.sockets(0));
  });
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      Wire client = late.rig.dial(i % 2);
      for (int n = 0; n < kRequests; ++n) {
        if (n % 8 == 7) client = late.rig.dial(i % 2);
        client.write(Rig::request_for());
        good += client.read_answer().status() == 200 ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  watcher.join();
  CHECK(most <= kLimit);
  CHECK(good > 200);
  CHECK(eventually([&] { return late.rig.totals().requests == kClients * kRequests; }));
  CHECK(late.rig.reason(Reason::queue_full) + late.rig.reason(Reason::queue_timeout) == 0);
  CHECK(late.rig.waiting() == 0);
  CHECK(eventually([&] { return late.rig.closed_clients() == kClients * (kRequests / 8 + 1); }));
  CHECK(eventually([&] { return late.rig.sockets(0) == late.rig.idle_sockets(0) + late.rig.idle_sockets(1); }));
}
