// One router thread from its first connection to its last, mainly how it ends.
#include "router/process/shard.hpp"

#include <fcntl.h>

#include "tests/router/process/rig.hpp"
#include "tests/support/counted_allocations.hpp"

using namespace gray;
using namespace gray::test;

namespace {

constexpr Duration kLong{60'000};

void drain(Rig& rig, Duration timeout, bool at_once) {
  rig.on([=](proxy::Shard& shard) { shard.drain(timeout, at_once); });
}

/// A keep-alive connection between two requests.
Wire idle_client(Rig& rig) {
  Wire client = rig.dial();
  client.write(Rig::request_for());
  CHECK(client.read_answer().status() == 200);
  return client;
}

}  // namespace

TEST_CASE("requests on kept connections allocate nothing, the access log included") {
  REQUIRE(allocations > 0);  // they are counted
  FakeWorker plain(says("plain")), chunked([](FakeWorker::Call& call) {
    while (call.next()) call.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  });
  Rig rig({{{plain.address()}, {chunked.address()}}, {}, 50},
          {.access_log = ::open("/dev/null", O_WRONLY | O_CLOEXEC)});
  Wire client = rig.dial();
  const auto ask_all = [&] {
    for (const std::string_view version : {"v1", "v2"}) {
      const std::string path = "/some/path?version=" + std::string(version);
      client.write(Rig::request_for(path, "Cookie: a=b; version=v2; uid=42\r\nX-User: me\r\nAccept: */*\r\n"));
      CHECK(client.read_answer().status() == 200);
      client.write("POST " + path + " HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello");
      CHECK(client.read_answer().status() == 200);
    }
  };
  const auto count = [&](int rounds) {
    const std::uint64_t before = rig.on([](proxy::Shard&) { return allocations; });
    for (int i = 0; i < rounds; ++i) ask_all();
    return rig.on([](proxy::Shard&) { return allocations; }) - before;
  };
  count(3);  // connections, pools and lists reach their sizes
  CHECK(count(30) == count(0));
}

TEST_CASE("a stop closes idle clients at once and lets the request in flight end") {
  Gate gate;
  FakeWorker slow(answers_after(gate)), quick(says("quick"));
  Rig rig({{{quick.address()}, {slow.address()}}});
  Wire idle = idle_client(rig), busy = rig.dial();
  busy.write(Rig::request_for("/?version=v2"));
  REQUIRE(eventually([&] { return slow.requests() == 1; }));
  drain(rig, kLong, true);
  check_closed(idle);
  CHECK(rig.drained_shards() == 0);
  gate.open();
  const Message answer = busy.read_answer();
  CHECK(answer.body == "ok");
  CHECK(answer.field("connection") == "close");
  check_closed(busy);
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
  CHECK(rig.sockets(0) == 0);
  CHECK(rig.sockets(8) == 0);
}

TEST_CASE("an upgrade answers the next request of an idle client, and only then closes") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  Wire client = idle_client(rig);
  drain(rig, kLong, false);
  CHECK(rig.drained_shards() == 0);
  client.write(Rig::request_for());
  const Message answer = client.read_answer();
  CHECK(answer.body == "x");
  CHECK(answer.field("connection") == "close");
  check_closed(client);
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
}

TEST_CASE("a connection that was accepted before a stop gets its first answer") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  std::vector<Wire> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(rig.dial());
  drain(rig, kLong, true);
  for (Wire& client : clients) {
    client.write(Rig::request_for());
    const Message answer = client.read_answer();
    CHECK(answer.body == "x");
    CHECK(answer.field("connection") == "close");
  }
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
}

TEST_CASE("a silent connection does not delay a stop") {
  Rig rig({});
  Wire silent = rig.dial();
  REQUIRE(eventually([&] { return rig.on([](proxy::Shard& shard) { return shard.engine().open_streams(); }) == 1; }));
  drain(rig, kLong, true);
  check_closed(silent);
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
}

TEST_CASE("a client whose answer began before a stop is closed when the answer ends") {
  Gate gate;
  FakeWorker worker([&gate](FakeWorker::Call& call) {
    while (call.next()) {
      call.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
      gate.wait();
      call.write("k");
    }
  });
  Rig rig({{{worker.address()}}});
  Wire silent = rig.dial(), client = rig.dial();
  client.write(Rig::request_for());
  std::string text;
  Message answer;
  REQUIRE(client.read_head(answer));
  REQUIRE(client.read_exactly(1, text));
  drain(rig, kLong, true);
  check_closed(silent);  // the extra time of new connections is over
  gate.open();
  REQUIRE(client.read_exactly(1, text));
  CHECK(text == "ok");
  CHECK(answer.field("connection").empty());
  check_closed(client);
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
}

TEST_CASE("the deadline of a drain cuts the requests that are left") {
  FakeWorker silent([](FakeWorker::Call& call) {
    while (call.next()) {
    }
  });
  Rig rig({{{silent.address()}}});
  Wire client = rig.dial();
  client.write(Rig::request_for());
  REQUIRE(eventually([&] { return silent.requests() == 1; }));
  drain(rig, Duration{150}, true);
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
  CHECK(client.read_rest().empty());
  CHECK(client.end() == Wire::End::reset);
  CHECK(rig.sockets(0) == 0);
  CHECK(rig.totals().in_flight == 0);
}

TEST_CASE("a stop waits until the last byte of an answer is sent") {
  const std::string body(12 << 20, 'x');
  FakeWorker worker(says(body));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial(0, 8 << 10);
  client.write(Rig::request_for());
  REQUIRE(eventually([&] { return rig.totals().in_flight == 1; }));
  drain(rig, kLong, true);
  const Message answer = client.read_answer();
  CHECK(answer.complete);
  CHECK(answer.body == body);
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
}

TEST_CASE("a stop waits for a client that still reads its last answer, although its connection is kept") {
  const std::string body(120'000, 'x');
  FakeWorker worker(says(body));
  Rig rig({{{worker.address()}}}, {.send_buffer = 4'096});
  Wire client = rig.dial(0, 4'096);
  client.write(Rig::request_for());
  REQUIRE(eventually([&] { return rig.totals().requests == 1; }));  // all of it is kept for the client
  drain(rig, kLong, true);
  const Message answer = client.read_answer();
  CHECK(answer.complete);
  CHECK(answer.body == body);
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
}

TEST_CASE("a shard without work is drained at once, and stops listening") {
  Rig rig({});
  drain(rig, kLong, false);
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
  Wire late = dial(rig.address());
  late.write(Rig::request_for());
  rig.on([](proxy::Shard&) {});
  CHECK(rig.on([](proxy::Shard& shard) { return shard.engine().open_streams(); }) == 0);
}

TEST_CASE("a waiting request is answered during a stop") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Plan plan{{{worker.address()}}};
  plan.limits.max_sockets = 1;
  plan.limits.queue_timeout = Duration{8'000};
  Rig rig(plan);
  Wire first = rig.dial(), second = rig.dial();
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  second.write(Rig::request_for());
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  drain(rig, kLong, true);
  gate.open();
  CHECK(first.read_answer().status() == 200);
  CHECK(second.read_answer().field("connection") == "close");
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
}

TEST_CASE("every client that connects is reported as closed once") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  for (int i = 0; i < 50; ++i) CHECK(rig.get().status() == 200);
  CHECK(eventually([&] { return rig.closed_clients() == 50; }));
  CHECK(worker.connections() == 1);
}

TEST_CASE("a shard can be destroyed while everything is still open") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
    }
  });
  std::vector<Wire> clients;
  {
    Plan plan{{{worker.address()}}};
    plan.limits.max_sockets = 2;
    Rig rig(plan);
    for (int i = 0; i < 4; ++i) {
      clients.push_back(rig.dial());
      clients.back().write(i == 3 ? "GET / HT" : Rig::request_for());
    }
    REQUIRE(eventually([&] { return worker.requests() == 2 && rig.waiting() == 1; }));
  }
  for (Wire& client : clients) CHECK(client.read_rest().empty());
}
