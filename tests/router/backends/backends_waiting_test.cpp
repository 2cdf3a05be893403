// Which requests wait for a socket, and in which order they are served.
#include "router/backends/backends.hpp"

#include <cstdlib>
#include <numeric>
#include <random>
#include <string>

#include "tests/router/backends/random_steps.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;
using segment::Reason;

namespace {

Wire send_get(Rig& rig, std::string_view path = "/", std::string_view fields = "") {
  Wire client = rig.dial(0, 4'096);
  client.write(Rig::request_for(path, fields));
  return client;
}

}  // namespace

TEST_CASE("random steps: whatever happens, no request waits for a socket that is there, and all are counted out") {
  const unsigned seed = std::random_device{}();
  const char* asked = std::getenv("GRAY_STEPS");  // for a longer run
  const int count = asked != nullptr ? std::atoi(asked) : 100'000;
  MESSAGE("seed " << seed);
  for (const std::uint32_t threads : {1u, 2u, 4u}) {
    CAPTURE(threads);
    RandomSteps steps(seed, threads);
    for (int i = 0; i < count; ++i) {
      steps.step();
      if (i % 500 == 499) steps.check();
    }
    steps.drain();
    CHECK(steps.served() > count / 200);
  }
}

TEST_CASE("a full queue and a wait that cannot succeed are refused at once") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Rig rig({{{worker.address()}}, few_sockets(1, 1)});
  Wire first = send_get(rig);
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  Wire second = send_get(rig);
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  CHECK(rig.get().field("x-gray-reason") == "queue-full");
  CHECK(rig.waiting() == 1);
  rig.on([](proxy::Shard& shard) {
    shard.backends().version(0).service_time.add(Micros{60'000'000}, shard.engine().now());
  });
  rig.apply({{{worker.address()}}, few_sockets(1, 100), 0, 2});
  const Message answer = rig.get();
  CHECK(answer.status() == 503);
  CHECK(answer.field("x-gray-reason") == "overloaded");
  CHECK(rig.waiting() == 1);
  gate.open();
  CHECK(second.read_answer().status() == 200);
}

TEST_CASE("a queue whose size was not set takes more requests while they are served soon, one that was set does not") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Plan plan{{{worker.address()}}, few_sockets(1, 1)};
  plan.limits.queue_grows = true;
  Rig rig(plan);
  const auto takes = [&](Micros sample) {
    rig.on([sample](proxy::Shard& shard) { shard.backends().version(0).service_time = {}; });
    rig.on(
        [sample](proxy::Shard& shard) { shard.backends().version(0).service_time.add(sample, shard.engine().now()); });
  };
  Wire first = send_get(rig);
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  Wire second = send_get(rig);
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  Wire third = send_get(rig);  // how long requests take is not known yet
  CHECK(eventually([&] { return rig.waiting() == 2; }));
  takes(Micros{10'000});
  Wire fourth = send_get(rig);
  CHECK(eventually([&] { return rig.waiting() == 3; }));
  takes(Micros{4'000'000});  // it would wait for longer than queue_timeout, eight seconds
  CHECK(rig.get().field("x-gray-reason") == "queue-full");
  takes(Micros{10'000});
  plan.limits.queue_grows = false;
  plan.number = 2;
  rig.apply(plan);
  CHECK(rig.get().field("x-gray-reason") == "queue-full");
  gate.open();
  CHECK(third.read_answer().status() == 200);
  CHECK(fourth.read_answer().status() == 200);
}

TEST_CASE("a queue limit of zero lets no request wait") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Rig rig({{{worker.address()}}, few_sockets(1, 0)});
  Wire first = send_get(rig);
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  CHECK(rig.get().field("x-gray-reason") == "queue-full");
  gate.open();
}

TEST_CASE("with a queue of zero a request still gets an idle socket of another thread") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({{{worker.address()}}, few_sockets(1, 0)}, {.shards = 2});
  for (const std::uint32_t shard : {0u, 1u, 1u, 0u}) {
    Wire client = rig.dial(shard);
    client.write(Rig::request_for());
    CHECK(client.read_answer().status() == 200);
  }
  CHECK(worker.connections() == 1);
}

TEST_CASE(
    "when a client is cut, its other requests wait behind those of others, and are refused beyond half the queue") {
  constexpr std::size_t kMuch = 16 << 20;
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
      const std::size_t size = call.request.head.find("/much") != std::string::npos ? kMuch : 2;
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x'));
    }
  });
  RouterSettings settings;
  settings.trusted_proxies = {*Cidr::parse("127.0.0.0/8")};
  Rig rig({{{worker.address()}}, few_sockets(1, 4)}, {.settings = settings});
  const std::string slow = "X-Forwarded-For: 10.0.0.1\r\n";
  std::vector<Wire> slow_ones;
  slow_ones.push_back(send_get(rig, "/much", slow));
  REQUIRE(eventually([&] { return rig.sockets(0) == 1; }));
  for (std::uint32_t i = 1; i <= 3; ++i) {
    slow_ones.push_back(send_get(rig, "/much", slow));
    REQUIRE(eventually([&] { return rig.waiting() == i || rig.reason(Reason::slow_client) > 0; }));
  }
  Wire fair = send_get(rig, "/fair", "X-Forwarded-For: 10.0.0.2\r\n");
  CHECK(fair.read_answer().status() == 200);
  CHECK(rig.reason(Reason::slow_client) == 1);
  CHECK(eventually([&] { return worker.seen().size() >= 3; }));
  CHECK(worker.seen()[1].head.find("/fair") != std::string::npos);
  CHECK(rig.reason(Reason::overloaded) == 1);  // the third one that waited: two of four places are for slow ones
}

TEST_CASE("a canary whose queue is full costs the requests of stable nothing") {
  Gate gate;
  FakeWorker stable(answers(std::string(kOk))), slow(answers_after(gate));
  Rig rig({{{stable.address()}, {slow.address()}}, few_sockets(1, 4)});
  std::vector<Wire> stuck;
  for (std::uint32_t i = 0; i <= 4; ++i) {
    stuck.push_back(send_get(rig, "/?version=v2"));
    REQUIRE(eventually([&] { return slow.requests() == 1 && rig.totals(1).waiting == i; }));
  }
  CHECK(rig.get("/?version=v2").field("x-gray-reason") == "queue-full");
  for (int i = 0; i < 50; ++i) CHECK(rig.get().status() == 200);
  CHECK(rig.totals(0).waiting == 0);
  CHECK(rig.reason(Reason::queue_full, 0) == 0);
  const auto waited = segment::sum(*rig.segment, 0, &segment::Row::waited);
  CHECK(std::accumulate(std::begin(waited.buckets), std::end(waited.buckets), std::uint64_t{0}) == 0);
  gate.open();
  for (Wire& client : stuck) CHECK(client.read_answer().status() == 200);
}

TEST_CASE("workers that have become too slow: the newest is served, and who cannot be served in time is told at once") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Rig rig({{{worker.address()}}, few_sockets(1, 10)});
  Wire first = send_get(rig);
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  std::vector<Wire> waiting;
  for (std::uint32_t i = 0; i < 3; ++i) {
    waiting.push_back(send_get(rig, "/" + std::to_string(i)));
    REQUIRE(eventually([&] { return rig.waiting() == i + 1; }));
  }
  rig.on([](proxy::Shard& shard) {
    proxy::Version& version = shard.backends().version(0);
    const TimePoint now = shard.engine().now();
    version.service_time.add(Micros{5'000'000}, now);
    for (const int ms : {10'000, 20'000, 30'000})
      version.shedding.serves({.sockets = 1}, Micros{1'000'000}, now + Duration{ms});
  });
  gate.open();
  const Message dropped = waiting[0].read_answer();
  CHECK(dropped.status() == 503);
  CHECK(dropped.field("x-gray-reason") == "overloaded");
  CHECK_FALSE(dropped.field("retry-after").empty());
  CHECK(waiting[1].read_answer().status() == 200);
  CHECK(waiting[2].read_answer().status() == 200);
  REQUIRE(worker.requests() == 3);
  CHECK(worker.seen()[1].has("GET /2 "));
  CHECK(worker.seen()[2].has("GET /1 "));
}
