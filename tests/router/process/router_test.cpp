// The threads of a router together, and its messages to the master.
#include "router/process/router.hpp"

#include <fcntl.h>

#include <set>

#include "tests/router/process/fake_master.hpp"

using namespace gray;
using namespace gray::test;

namespace {

using Type = ChannelMessage::Type;

/// A router on a thread of its own, with its first table.
struct Running {
  FakeMaster master;
  proxy::Router router;
  int result = -1;
  std::thread thread{[this] { result = router.run(); }};

  explicit Running(const Plan& plan, ChannelMessage hello = FakeMaster::hello())
      : router(master.inheritance(), attach(master.segment), hello) {
    master.say_table(plan);
    master.expect(Type::ready);
    master.send(Type::listen);
  }
  ~Running() {
    master.die();
    thread.join();
  }
  static segment::Segment attach(const segment::Segment& segment) {
    std::string error;
    return std::move(*segment::Segment::attach(UniqueFd(::dup(segment.fd())), error, UniqueFd(::dup(segment.freed()))));
  }
  Wire dial() const { return test::dial(master.listener.address()); }
  Message get() const {
    Wire client = dial();
    client.write(Rig::request_for());
    return client.read_answer();
  }
  std::uint32_t connections() const { return master.segment->connections[1]; }
};

}  // namespace

TEST_CASE("ready is sent once, applied for every table, by the last thread that applies it") {
  FakeWorker worker(says("one"));
  FakeMaster master;
  proxy::Router router(master.inheritance(), Running::attach(master.segment), FakeMaster::hello(4));
  std::thread thread([&] { router.run(); });
  master.say_table({{{worker.address()}}, {}, 0, 5});
  const auto first = master.expect(Type::applied);
  REQUIRE(first);
  CHECK(first->number == 5);
  master.say_table({{{worker.address()}}, {}, 0, 6});
  const auto second = master.expect(Type::applied);
  REQUIRE(second);
  CHECK(second->number == 6);
  master.die();
  thread.join();
}

TEST_CASE("a table that cannot be read is refused, and the one before it stays") {
  FakeWorker worker(says("one"));
  Running run({{{worker.address()}}});
  ChannelMessage broken;
  broken.type = Type::table;
  broken.number = 2;
  broken.fd = sealed_memfd("table", "{not json");
  run.master.send(broken);
  ChannelMessage missing;
  missing.type = Type::table;
  missing.number = 3;
  run.master.send(missing);
  CHECK(run.get().body == "one");
  run.master.say_table({{{worker.address()}}, {}, 0, 4});
  for (std::uint64_t number = 0; number != 4;) {
    const auto applied = run.master.expect(Type::applied);
    REQUIRE(applied);
    number = applied->number;
    CHECK(number != 2);
    CHECK(number != 3);
  }
}

TEST_CASE("requests on many connections are spread over the threads and counted in the router's slot") {
  FakeWorker worker(says("x"));
  Running run({{{worker.address()}}});
  std::vector<Wire> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(run.dial());
    clients.back().write(Rig::request_for());
    CHECK(clients.back().read_answer().status() == 200);
  }
  CHECK(run.connections() == 16);
  const auto& rows = run.master.segment->rows[1];
  CHECK(eventually([&] { return rows[0][0].requests + rows[1][0].requests == 16; }));
  CHECK(rows[0][0].requests == 8);
  clients.clear();
  CHECK(eventually([&] { return run.connections() == 0; }));
}

TEST_CASE("connections above the limit are refused with a reason, and closed ones make room") {
  FakeWorker worker(says("x"));
  ChannelMessage hello = FakeMaster::hello();
  SUBCASE("of the router") { hello.router.max_connections = 3; }
  SUBCASE("of one client") { hello.router.max_connections_per_client = 3; }
  Running run({{{worker.address()}}}, std::move(hello));
  std::vector<Wire> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(run.dial());
    clients.back().write(Rig::request_for());
    CHECK(clients.back().read_answer().status() == 200);
  }
  Wire refused = run.dial();
  const Message answer = refused.read_answer();
  CHECK(answer.status() == 503);
  CHECK(answer.field("x-gray-reason") == "overloaded");
  CHECK(answer.field("retry-after") == "1");
  clients.pop_back();
  REQUIRE(eventually([&] { return run.connections() == 2; }));
  CHECK(run.get().status() == 200);
}

TEST_CASE("behind a PROXY header the limit of one client is that of the client it names (PROXY)") {
  FakeWorker worker(says("x"));
  ChannelMessage hello = FakeMaster::hello();
  hello.router.max_connections_per_client = 2;
  hello.router.trusted_proxies = {*Cidr::parse("127.0.0.1")};
  Running run({{{worker.address()}}}, std::move(hello));
  const auto dial = [&](int host) {
    Wire client = test::dial(run.master.proxied.address());
    client.write("PROXY TCP4 192.0.2." + std::to_string(host) + " 10.0.0.1 1 2\r\n" + Rig::request_for());
    return client;
  };
  std::vector<Wire> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(dial(i / 2));
    CHECK(clients.back().read_answer().status() == 200);
  }
  Wire third = dial(0);
  const Message answer = third.read_answer();
  CHECK(answer.status() == 503);
  CHECK(answer.field("x-gray-reason") == "overloaded");
  CHECK(eventually([&] { return run.connections() == 6; }));
  clients.erase(clients.begin());
  REQUIRE(eventually([&] { return run.connections() == 5; }));
  CHECK(dial(0).read_answer().status() == 200);
}

TEST_CASE("a few sockets are enough for clients on all threads") {
  FakeWorker worker(says("x"));
  Plan plan{{{worker.address()}}};
  plan.limits.max_sockets = 1;
  plan.limits.queue_timeout = Duration{8'000};
  Running run(plan, FakeMaster::hello(4));
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      Wire client = run.dial();
      for (int n = 0; n < 50; ++n) {
        client.write(Rig::request_for());
        good += client.read_answer().status() == 200 ? 1 : 0;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(good == 400);
  CHECK(run.master.segment->workers[0].sockets.total() <= 1);
}

TEST_CASE("a router with a warm-up check is ready once it has reached every worker of its table") {
  FakeWorker good(says("x"));
  FakeMaster master;
  auto hello = FakeMaster::hello(3);
  hello.warm_up = true;
  proxy::Router router(master.inheritance(), Running::attach(master.segment), hello);
  std::thread thread([&] { router.run(); });
  SUBCASE("all of them answer") { master.say_table({{{good.address()}, {good.address()}}}); }
  SUBCASE("the table has no worker") { master.say_table({}); }
  SUBCASE("one does not answer until the master removes it") {
    master.say_table({{{good.address()}, {*Address::parse("127.0.0.1:1")}}, {}, 0, 1});
    const auto complaint = master.expect(Type::unreached);
    REQUIRE(complaint);
    CHECK(complaint->detail.find("Connection refused") != std::string::npos);
    master.say_table({{{good.address()}}, {}, 0, 2});
  }
  CHECK(master.expect(Type::ready));
  master.die();
  thread.join();
}

TEST_CASE("a probe is answered over the channel") {
  FakeWorker worker(says("x"));
  Running run({});
  ChannelMessage probe;
  probe.type = Type::probe;
  const HttpProbe http{"/healthz", "a.example", {{"x-a", "b"}}};
  probe.orders = {{42, 0, worker.address(), ::geteuid(), http, Duration{5'000}}};
  run.master.send(probe);
  const auto probed = run.master.expect(Type::probed);
  REQUIRE(probed);
  REQUIRE(probed->outcomes.size() == 1);
  const ProbeOutcome& outcome = probed->outcomes.front();
  CHECK(outcome.id == 42);
  CHECK(outcome.ok);
  CHECK(outcome.detail == "GET /healthz with Host: a.example was answered 200");
  CHECK(worker.seen().at(0).field("x-a") == "b");
  CHECK(outcome.peer == PeerOwner{::geteuid(), 0});
}

TEST_CASE("probes that were ordered together are answered in few messages, each probe once") {
  FakeWorker worker(says("x"));
  Running run({});
  std::set<std::uint64_t> missing;
  for (std::uint64_t id = 1; id <= 3 * kMostProbes;) {
    ChannelMessage probe;
    probe.type = Type::probe;
    for (std::size_t i = 0; i < kMostProbes; ++i, ++id) {
      probe.orders.push_back({id, 0, worker.address(), ::geteuid(), {}, Duration{5'000}});
      missing.insert(id);
    }
    run.master.send(probe);
  }
  std::size_t messages = 0;
  while (!missing.empty()) {
    const auto probed = run.master.expect(Type::probed);
    REQUIRE(probed);
    ++messages;
    for (const ProbeOutcome& outcome : probed->outcomes) CHECK(missing.erase(outcome.id) == 1);
  }
  CHECK(messages < kMostProbes);
}

TEST_CASE("a stranger at the address of a worker is reported to the master, by a request and by a probe") {
  FakeWorker stranger(says("x"));
  Running run({.versions = {{stranger.address()}}, .foreign = {stranger.address().port}});
  CHECK(run.get().status() == 502);
  const auto report = run.master.expect(Type::stranger);
  REQUIRE(report);
  CHECK(report->cell == 0);
  CHECK(report->number == stranger.address().port);  // the generation
  CHECK(report->peer == PeerOwner{::geteuid(), 0});
  ChannelMessage probe;
  probe.type = Type::probe;
  probe.orders = {{1, 0, stranger.address(), ::geteuid() + 1, {}, Duration{5'000}}};
  run.master.send(probe);
  const auto probed = run.master.expect(Type::probed);
  REQUIRE(probed);
  REQUIRE(probed->outcomes.size() == 1);
  CHECK_FALSE(probed->outcomes.front().ok);
  CHECK(probed->outcomes.front().peer == PeerOwner{::geteuid(), 0});
  CHECK(stranger.requests() == 0);
}

TEST_CASE("the master is told when the last socket to a worker that left the table is closed") {
  FakeWorker worker(says("x"));
  Running run({{{worker.address()}}});
  CHECK(run.get().status() == 200);
  run.master.say_table({{{}}, {}, 0, 2});
  CHECK(run.master.expect(Type::unused));
  CHECK(run.master.segment->workers[0].sockets.total() == 0);
}

TEST_CASE("all threads have drained before the router says so and ends") {
  FakeWorker worker(says("x"));
  FakeMaster master;
  proxy::Router router(master.inheritance(), Running::attach(master.segment), FakeMaster::hello(3));
  int result = -1;
  std::thread thread([&] { result = router.run(); });
  master.say_table({{{worker.address()}}});
  master.send(Type::listen);
  master.expect(Type::ready);
  ChannelMessage drain;
  drain.type = Type::drain;
  drain.timeout = Duration{60'000};
  drain.ok = true;
  master.send(drain);
  CHECK(master.expect(Type::drained));
  thread.join();
  CHECK(result == 0);
}

TEST_CASE("the death of the master is the end of the router") {
  FakeMaster master;
  proxy::Router router(master.inheritance(), Running::attach(master.segment), FakeMaster::hello());
  int result = -1;
  std::thread thread([&] { result = router.run(); });
  master.die();
  thread.join();
  CHECK(result == 1);
}

TEST_CASE("a message that only a router may send changes nothing") {
  FakeWorker worker(says("x"));
  Running run({{{worker.address()}}});
  run.master.send(Type::drained);
  CHECK(run.get().status() == 200);
}
