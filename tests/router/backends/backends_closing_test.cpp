// An engine that closes when it is ready: no unit comes back before the socket is closed, none is lost, and nobody is
// refused for a unit that is on its way.
#include <thread>

#include "tests/router/backends/deferring_engine.hpp"
#include "tests/router/process/upgrades.hpp"

using namespace gray;
using namespace gray::test;
using segment::Reason;

namespace {

constexpr Duration kLong{60'000};

/// Shards on engines that close when they are let.
struct Deferring {
  std::vector<DeferringEngine*> engines;
  Rig rig;
  explicit Deferring(const Plan& plan, RigOptions options = {},
                     DeferringEngine::Mode mode = DeferringEngine::Mode::at_once)
      : rig(plan, with_engines(std::move(options), mode)) {}

  void hold(std::uint32_t shard = 0) {
    rig.on([&](proxy::Shard&) { engines[shard]->hold(); }, shard);
  }
  void let_go(std::uint32_t shard = 0) {
    rig.on([&](proxy::Shard&) { engines[shard]->let_go(); }, shard);
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
  plan.limits.queue_timeout = Duration{8'000};
  return plan;
}

FakeWorker::Script says_nothing() {
  return [](FakeWorker::Call& call) {
    while (call.next()) {
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

TEST_CASE("the unit of an idle socket comes back when it is closed") {
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
  late.let_go();
  CHECK(eventually([&] { return late.rig.sockets(0) == 0 && worker.open() == 0; }));
}

TEST_CASE("a client that goes gives its own unit and its worker's back when they are closed") {
  FakeWorker worker(says_nothing());
  Deferring late({{{worker.address()}}});
  Wire client = late.rig.dial();
  client.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  late.hold();
  client.close();
  REQUIRE(late.holds(2));
  CHECK(late.rig.sockets(0) == 1);
  CHECK(late.rig.closed_clients() == 0);
  CHECK(late.rig.totals().requests == 1);
  late.let_go();
  CHECK(eventually([&] { return late.rig.sockets(0) == 0 && late.rig.closed_clients() == 1; }));
  CHECK(late.open_streams() == 0);
}

TEST_CASE("a client counts as long as its connection lingers") {
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
  late.let_go();
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
  late.let_go();
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
    late.let_go();
    CHECK(client.read_answer().status() == 200);
    CHECK(worker.connections() == 2);
    CHECK(late.rig.sockets(0) == 1);
  }
  SUBCASE("its client goes meanwhile") {
    client.close();
    REQUIRE(late.holds(2));
    late.let_go();
    CHECK(eventually([&] { return late.rig.sockets(0) == 0 && late.rig.closed_clients() == 1; }));
    CHECK(late.rig.get().status() == 200);
  }
  SUBCASE("another worker comes meanwhile") {
    FakeWorker fresh(says("fresh"));
    Plan plan = one_socket(worker);
    plan.versions[0].push_back(fresh.address());
    plan.number = 2;
    late.rig.apply(plan);
    CHECK(client.read_answer().body == "fresh");
    late.let_go();
    CHECK(eventually([&] { return late.rig.sockets(0) == 0 && late.rig.sockets(1) == 1; }));
  }
  SUBCASE("its worker leaves meanwhile: the unit helps nobody, and it waits in the queue") {
    late.rig.apply({{{}}, {}, 0, 2});
    CHECK(late.rig.waiting() == 1);
    FakeWorker fresh(says("fresh"));
    Plan plan = one_socket(fresh);
    plan.number = 3;
    late.let_go();
    late.rig.apply(plan);
    CHECK(client.read_answer().body == "fresh");
  }
  CHECK(late.rig.reason(Reason::queue_full) == 0);
  CHECK(late.rig.waiting() == 0);
}

TEST_CASE("a retry that finds its unit taken by another router waits like everybody, in a queue without a place") {
  FakeWorker worker(goes_stale());
  Deferring late(one_socket(worker));
  Wire client = late.rig.dial();
  client.write(Rig::request_for());
  CHECK(client.read_answer().status() == 200);
  late.hold();
  client.write(Rig::request_for());
  REQUIRE(late.holds(1));
  auto& sockets = late.rig.segment->workers[0].sockets;
  REQUIRE(sockets.acquire(3, 2));  // as if it had been quicker
  late.let_go();
  REQUIRE(eventually([&] { return late.rig.waiting() == 1; }));
  sockets.release(3);
  late.rig.on([](proxy::Shard& shard) { shard.backends().look_again(); });  // and tells
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
  late.let_go();
  CHECK(client.read_answer().status() == 200);
  CHECK(late.rig.reason(Reason::queue_full) == 0);
}

TEST_CASE("a new request takes the unit of a socket that is being closed, where nobody waits before it") {
  FakeWorker worker(says_nothing());
  Deferring late(one_socket(worker));
  Wire first = late.rig.dial();
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  late.hold();
  first.close();
  REQUIRE(late.holds(2));
  Wire second = late.rig.dial(), third = late.rig.dial();
  second.write(Rig::request_for());
  third.write(Rig::request_for());  // one unit comes back, not two
  CHECK(eventually([&] { return late.rig.reason(Reason::queue_full) == 1; }));
  late.let_go();
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
  late.let_go();
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
  late.let_go();
  CHECK(eventually([&] { return late.rig.tunnels(0) == 0 && late.rig.closed_clients() == 1; }));
}

TEST_CASE("a drain ends when everything is closed, and its deadline waits for no peer") {
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
    shard.probe({1, silent.address(), "/", kLong});
    shard.drain(Duration{50}, true);
  });
  // The three clients, both workers and the probe.
  REQUIRE(late.holds(6));
  CHECK(late.rig.drained_shards() == 0);
  CHECK(late.rig.closed_clients() == 0);
  CHECK(late.rig.sockets(0) == 1);
  CHECK(late.rig.sockets(8) == 1);
  late.let_go();
  CHECK(eventually([&] { return late.rig.drained_shards() == 1; }));
  CHECK(late.rig.closed_clients() == 3);
  CHECK(late.rig.sockets(0) + late.rig.sockets(8) == 0);
  CHECK(late.rig.probes().empty());
  CHECK(late.open_streams() == 0);
}

TEST_CASE("a probe lives until its socket is closed, and is told before") {
  FakeWorker worker(answers(std::string(kOk)));
  Deferring late({});
  late.hold();
  late.rig.on([&](proxy::Shard& shard) { shard.probe({1, worker.address(), "/healthz", kLong}); });
  REQUIRE(eventually([&] { return late.rig.probes().count(1) == 1; }));
  CHECK(late.rig.probes().at(1).first);
  REQUIRE(late.holds(1));
  CHECK(late.open_streams() == 1);
  CHECK(worker.open() == 1);
  late.let_go();
  CHECK(eventually([&] { return late.open_streams() == 0 && worker.open() == 0; }));
  CHECK(late.rig.probes().size() == 1);
}

TEST_CASE("a socket that is given to a neighbour keeps its unit on the way") {
  Gate gate;
  FakeWorker worker([&gate](FakeWorker::Call& call) {
    while (call.next()) {
      gate.wait();
      call.write(kOk);
    }
  });
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
  SUBCASE("and gives it back if it cannot be had") {
    late.rig.on([&](proxy::Shard&) { late.engines[0]->lose_released(); });
    handed_over = 0;
    connections = 2;
  }
  late.let_go(0);
  CHECK(second.read_answer().status() == 200);
  CHECK(late.rig.handed_over() == handed_over);
  CHECK(worker.connections() == connections);
  CHECK(late.rig.sockets(0) == 1);
}

TEST_CASE("a socket that no neighbour wants any more is taken back") {
  Gate gate;
  FakeWorker worker([&gate](FakeWorker::Call& call) {
    while (call.next()) {
      gate.wait();
      call.write(kOk);
    }
  });
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
  second.close();
  REQUIRE(eventually([&] { return late.rig.waiting() == 0; }));
  late.let_go(0);
  CHECK(eventually([&] { return late.rig.idle_sockets(0) == 1; }));
  CHECK(late.rig.sockets(0) == 1);
  CHECK(late.rig.handed_over() == 0);
}

TEST_CASE("limits hold and nobody is forgotten while workers break their connections and closing takes its time") {
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
