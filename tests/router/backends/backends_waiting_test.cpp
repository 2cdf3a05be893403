// Which requests wait for a socket, and in which order they are served.
#include "router/backends/backends.hpp"
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
  rig.on([](proxy::Shard& shard) { shard.backends().version(0).service_time.add(Micros{60'000'000}); });
  rig.apply({{{worker.address()}}, few_sockets(1, 100), 0, 2});
  const Message answer = rig.get();
  CHECK(answer.status() == 503);
  CHECK(answer.field("x-gray-reason") == "overloaded");
  CHECK(rig.waiting() == 1);
  gate.open();
  CHECK(second.read_answer().status() == 200);
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
