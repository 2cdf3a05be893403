// The limit of tunnels, and their end when a worker or the router is draining.
#include "router/backends/worker_tunnels.hpp"
#include "tests/router/process/upgrades.hpp"

using namespace gray;
using namespace gray::test;
using segment::Reason;

namespace {

const std::string kAway("\x88\x02\x03\xe9", 4);

Limits limits_of(std::uint32_t sockets, std::uint32_t tunnels) {
  Limits limits = few_sockets(sockets);
  limits.tunnels = tunnels;
  return limits;
}

int status_of_upgrade(Rig& rig, std::vector<Wire>& kept, std::uint32_t shard = 0) {
  Wire client = rig.dial(shard);
  client.write(ask_for("chat/1"));
  const int status = client.read_answer().status();
  kept.push_back(std::move(client));
  return status;
}

}  // namespace

TEST_CASE("tunnels do not count as sockets: one socket is enough for all tunnels and for requests beside them") {
  FakeWorker worker(upgrades());
  Rig rig({{{worker.address()}}, limits_of(1, 3)});
  std::vector<Wire> kept;
  for (int i = 0; i < 3; ++i) CHECK(status_of_upgrade(rig, kept) == 101);
  CHECK(rig.tunnels(0) == 3);
  CHECK(rig.sockets(0) == 0);

  Wire refused = rig.dial();
  refused.write(ask_for("chat/1") + ask_for("h2c"));
  const Message answer = refused.read_answer();
  CHECK(answer.status() == 503);
  CHECK(answer.field("x-gray-reason") == "overloaded");
  CHECK(answer.body.find("all tunnels") != std::string::npos);
  CHECK(refused.read_answer().status() == 502);  // sent as an ordinary request, so the worker's 101 was not requested
  for (Wire& client : kept) CHECK(echo(client, "still") == "still");
  kept.clear();
  CHECK(eventually([&] { return rig.tunnels(0) == 0; }));
  CHECK(status_of_upgrade(rig, kept) == 101);
}

TEST_CASE("a limit of zero tunnels refuses every upgrade, but no other request") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({{{worker.address()}}, limits_of(4, 0)});
  std::vector<Wire> kept;
  CHECK(status_of_upgrade(rig, kept) == 503);
  CHECK(rig.get().status() == 200);
  CHECK(worker.requests() == 1);
}

TEST_CASE("the limit is exact across threads and routers") {
  FakeWorker first(upgrades()), second(upgrades());
  for (const bool own_slots : {false, true}) {
    CAPTURE(own_slots);
    Rig rig({{{first.address(), second.address()}}, limits_of(64, 7)}, {.shards = 3, .own_slots = own_slots});
    std::atomic<int> opened = 0, refused = 0;
    std::mutex mutex;
    std::vector<Wire> kept;
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < 6; ++i) {
      threads.emplace_back([&, i] {
        for (int n = 0; n < 6; ++n) {
          Wire client = rig.dial(i % 3);
          client.write(ask_for("chat/1"));
          const int status = client.read_answer().status();
          if (status == 101) ++opened;
          if (status == 503) ++refused;
          const std::lock_guard lock(mutex);
          kept.push_back(std::move(client));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(opened == 14);
    CHECK(refused == 22);
    CHECK(rig.tunnels(0) == 7);
    CHECK(rig.tunnels(1) == 7);
    kept.clear();
    CHECK(eventually([&] { return rig.tunnels(0) + rig.tunnels(1) == 0; }));
    CHECK(eventually([&] { return rig.sockets(0) + rig.sockets(1) == 0; }));
  }
}

TEST_CASE("a 101 frees the socket's unit for waiting requests, upgrades included") {
  Gate gate;
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (call.number() == 1) {
      if (!call.next()) return;
      gate.wait();
      call.write(kSwitch);
      call.read_rest();
      return;
    }
    upgrades()(call);
  });
  Rig rig({{{worker.address()}}, limits_of(1, 2)});
  std::vector<Wire> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(rig.dial());
    clients.back().write(ask_for("chat/1"));
    CHECK(eventually([&] { return i == 0 ? rig.sockets(0) == 1 : rig.waiting() == static_cast<std::uint32_t>(i); }));
  }
  gate.open();
  CHECK(clients[0].read_answer().status() == 101);
  // Whoever waits longer is served first, unless the queue has been standing.
  const Message second = clients[1].read_answer(), third = clients[2].read_answer();
  const Message& refused = second.status() == 101 ? third : second;
  CHECK(second.status() + third.status() == 101 + 503);
  CHECK(refused.body.find("all tunnels") != std::string::npos);
  CHECK(rig.waiting() == 0);
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));
}

TEST_CASE("an upgrade whose worker cannot be reached gives its tunnel back") {
  Listener nobody;
  Rig rig({{{nobody.address()}}, limits_of(1, 1)});
  std::vector<Wire> kept;
  for (int i = 0; i < 3; ++i) CHECK(status_of_upgrade(rig, kept) == 502);
  CHECK(rig.tunnels(0) == 0);
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));
}

TEST_CASE("tunnels go to the worker with the fewest, and do not count as load for requests") {
  FakeWorker first(upgrades()), second(upgrades());
  Rig rig({{{first.address(), second.address()}}});
  std::vector<Wire> kept;
  for (int i = 0; i < 8; ++i) CHECK(status_of_upgrade(rig, kept) == 101);
  CHECK(rig.tunnels(0) == 4);
  CHECK(rig.tunnels(1) == 4);
}

TEST_CASE("a draining worker keeps its tunnels for drain_timeout, then both sides get 1001 and FIN") {
  std::string heard;
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write(kSwitchWebSocket);
    heard = call.read_rest();
    CHECK(call.end() == Wire::End::closed);
  });
  Plan plan{{{worker.address()}}};
  plan.drain_timeout = Duration{400};
  Rig rig(plan);
  Wire client = tunnel_to(rig, "websocket");
  const TimePoint before = Clock::now();
  plan.draining = {worker.address().port};
  plan.versions = {{}};
  ++plan.number;
  rig.apply(plan);
  client.write(std::string("\x81\x01x", 3));  // goes on
  CHECK(client.read_rest() == kAway);
  CHECK(Clock::now() - before >= Duration{290});
  CHECK(client.end() == Wire::End::closed);
  worker.stop();
  REQUIRE(heard.size() == 3 + 8);
  CHECK(heard.substr(3, 2) == "\x88\x82");
  CHECK(static_cast<char>(heard[9] ^ heard[5]) == '\x03');
  CHECK(static_cast<char>(heard[10] ^ heard[6]) == '\xe9');
  CHECK(eventually([&] { return rig.tunnels(0) == 0; }));
  CHECK(rig.reason(Reason::draining) == 1);
}

TEST_CASE("a version that left the table keeps its tunnels as long; other protocols get FIN only") {
  FakeWorker worker(upgrades());
  Plan plan{{{worker.address()}}};
  plan.drain_timeout = Duration{200};
  Rig rig(plan);
  Wire client = tunnel_to(rig);
  Plan empty;
  empty.number = 2;
  rig.apply(empty);
  CHECK(echo(client, "on") == "on");
  CHECK(client.read_rest().empty());
  CHECK(client.end() == Wire::End::closed);
  CHECK(eventually([&] { return rig.tunnels(0) == 0; }));
}

TEST_CASE("a worker that only fails its probes, or is able again, keeps its tunnels") {
  FakeWorker worker(upgrades());
  Plan plan{{{worker.address()}}};
  plan.drain_timeout = Duration{50};
  Rig rig(plan);
  Wire client = tunnel_to(rig);
  Plan without = plan;
  without.versions = {{}};
  rig.apply(without);
  let_pass(Duration{150});
  CHECK(echo(client, "on") == "on");
  rig.apply(plan);
  let_pass(Duration{100});
  CHECK(echo(client, "and on") == "and on");
}

TEST_CASE("a worker that does not end after our FIN is not waited for") {
  Gate done;
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write(kSwitch);
    call.read_rest();
    done.wait();
  });
  Plan plan{{{worker.address()}}};
  plan.drain_timeout = Duration{50};
  Rig rig(plan);
  Wire client = tunnel_to(rig);
  plan.draining = {worker.address().port};
  plan.versions = {{}};
  rig.apply(plan);
  CHECK(client.read_rest().empty());
  CHECK(eventually([&] { return rig.tunnels(0) == 0; }));
  done.open();
}

TEST_CASE("a draining router ends its tunnels before its deadline, and is drained then") {
  FakeWorker worker(upgrades(std::string(kSwitchWebSocket)));
  Rig rig({{{worker.address()}}});
  Wire client = tunnel_to(rig, "websocket");
  rig.on([](proxy::Shard& shard) { shard.drain(Duration{400}, true); });
  CHECK(echo(client, std::string("\x81\x01x", 3)) == std::string("\x81\x01x", 3));
  CHECK(rig.drained_shards() == 0);
  std::string rest = client.read_rest();
  CHECK(rest.substr(0, 4) == kAway);
  CHECK(client.end() == Wire::End::closed);
  client.close();
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
  CHECK(rig.reason(Reason::draining) == 1);
  CHECK(eventually([&] { return rig.tunnels(0) == 0; }));
}

TEST_CASE("the grace period is a quarter of the timeout, and a second at most") {
  CHECK(proxy::grace_period(Duration{30'000}) == Duration{1'000});
  CHECK(proxy::grace_period(Duration{400}) == Duration{100});
  CHECK(proxy::grace_period(Duration{0}) == Duration{0});
}
