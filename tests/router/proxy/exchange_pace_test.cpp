// Slow clients: which of them get a socket, and which lose it.
#include <array>

#include "router/proxy/exchange.hpp"
#include "router/wire/body.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;
using segment::Reason;

namespace {

constexpr std::size_t kLarge = 16 << 20;  // more than the kernel takes for a client that does not read

/// Answers GET /large with kLarge bytes, everything else at once.
FakeWorker::Script large_or_small() {
  return [](FakeWorker::Call& call) {
    while (call.next()) {
      const bool large = call.request.head.find("/large") != std::string::npos;
      const std::size_t size = large ? kLarge : 2;
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x'));
    }
  };
}

/// A client that asks for a large answer and does not read it.
Wire begin_slow_reader(Rig& rig, std::uint32_t shard = 0) {
  Wire client = rig.dial(shard, 4'096);
  client.write(Rig::request_for("/large"));
  return client;
}

std::string post_head(std::size_t length, std::string_view fields = "") {
  return "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(length) + "\r\n" + std::string(fields) +
         "\r\n";
}

std::uint32_t slow(const Rig& rig) { return rig.segment->versions[0].slow.total(); }

}  // namespace

TEST_CASE("a small body is complete before a socket is taken for it, by length or in chunks") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}});
  Wire sized = rig.dial(), chunked = rig.dial();
  sized.write(post_head(8) + "half");
  chunked.write("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
  REQUIRE(eventually([&] { return rig.totals().in_flight == 2; }));
  CHECK(rig.sockets(0) == 0);
  sized.write("half");
  chunked.write("4\r\nhalf\r\n0\r\n\r\n");
  CHECK(sized.read_answer().body == "halfhalf");
  CHECK(chunked.read_answer().body == "halfhalf");
}

TEST_CASE("a client that expects 100 is not slow until the worker has sent it") {
  Gate gate;
  FakeWorker worker([&](FakeWorker::Call& call) {
    Message head;
    if (!call.read_head(head)) return;
    gate.wait();
    call.write("HTTP/1.1 100 Continue\r\n\r\n");
    std::string body;
    if (call.read_exactly(4, body)) call.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + body);
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(post_head(4, "Expect: 100-continue\r\n"));
  REQUIRE(eventually([&] { return rig.sockets(0) == 1; }));
  let_pass(Duration{700});
  CHECK(slow(rig) == 0);
  gate.open();
  CHECK(client.read_answer().status() == 100);
  CHECK(eventually([&] { return slow(rig) == 1; }));
  client.write("body");
  CHECK(client.read_answer().body == "body");
  CHECK(eventually([&] { return slow(rig) == 0; }));
}

TEST_CASE("a large body takes a socket after its first bytes, or as a slow one if they do not come") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}});
  const std::string body(40'000, 'b');
  Wire fair = rig.dial();
  fair.write(post_head(body.size()) + body.substr(0, policy::kReplayBytes));
  REQUIRE(eventually([&] { return rig.sockets(0) == 1; }));
  CHECK(slow(rig) == 0);
  Wire late = rig.dial();
  late.write(post_head(body.size()) + "b");
  REQUIRE(eventually([&] { return rig.sockets(0) == 2; }));
  CHECK(slow(rig) >= 1);
  fair.write(body.substr(policy::kReplayBytes));
  late.write(body.substr(1));
  CHECK(fair.read_answer().body == body);
  CHECK(late.read_answer().body == body);
  CHECK(eventually([&] { return slow(rig) == 0; }));
}

TEST_CASE("no slow client is cut while nobody waits") {
  FakeWorker worker(large_or_small());
  Rig rig({{{worker.address()}}, few_sockets(2)});
  const Wire first = begin_slow_reader(rig);
  Wire second = rig.dial();
  second.write(post_head(40'000) + std::string(20'000, 'x'));
  REQUIRE(eventually([&] { return slow(rig) == 2; }));
  let_pass(Duration{600});
  CHECK(rig.totals().requests == 0);
  CHECK(slow(rig) == 2);
}

TEST_CASE("slow readers that hold more than half of the sockets are cut for a request that waits") {
  FakeWorker worker(large_or_small());
  Rig rig({{{worker.address()}}, few_sockets(2)});
  Wire first = begin_slow_reader(rig), second = begin_slow_reader(rig);
  REQUIRE(eventually([&] { return slow(rig) == 2; }));
  CHECK(rig.get().status() == 200);
  CHECK(rig.reason(Reason::slow_client) == 1);
  CHECK(slow(rig) == 1);
  CHECK(rig.get().status() == 200);
  CHECK(rig.reason(Reason::slow_client) == 1);
  CHECK(rig.totals().errors == 0);
}

TEST_CASE("a slow sender is cut with 408 and its reason, and the slowest is cut first") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}, few_sockets(2)});
  Wire mute = rig.dial(), slowly = rig.dial();
  mute.write(post_head(10'000'000) + std::string(20'000, 'x'));
  slowly.write(post_head(10'000'000) + std::string(20'000, 'x'));
  std::atomic<bool> done{false};
  std::thread sender([&] {
    while (!done && slowly.write(std::string(400, 'x'))) let_pass(Duration{40});
  });
  REQUIRE(eventually([&] { return slow(rig) == 2; }));
  CHECK(rig.get().status() == 200);
  const Message answer = mute.read_answer();
  CHECK(answer.status() == 408);
  CHECK(answer.field("x-gray-reason") == "slow-client");
  CHECK(answer.field("connection") == "close");
  CHECK(answer.body.find("other requests waited") != std::string::npos);
  CHECK(rig.reason(Reason::slow_client) == 1);
  done = true;
  sender.join();
}

TEST_CASE("with one slow client on each socket others are answered, whatever the queue, on every thread and router") {
  for (const std::uint32_t queue : {0u, 1u, 256u}) {
    for (const std::uint32_t sockets : {1u, 2u, 3u, 8u}) {
      for (const auto& [own_slots, first] : {std::pair{false, 0u}, {false, 1u}, {true, 0u}}) {
        CAPTURE(queue);
        CAPTURE(sockets);
        CAPTURE(own_slots);
        CAPTURE(first);
        FakeWorker worker(large_or_small());
        Rig rig({{{worker.address()}}, few_sockets(sockets, queue)}, {.shards = 2, .own_slots = own_slots});
        std::vector<Wire> readers;
        for (std::uint32_t i = 0; i < sockets; ++i) readers.push_back(begin_slow_reader(rig, 0));
        REQUIRE(eventually([&] { return slow(rig) == sockets; }));
        // A socket that is idle in one router is not given to another one.
        const std::vector orders{std::vector{1u, 0u, 1u, 1u, 0u}, std::vector{0u, 1u, 0u, 0u, 1u}};
        for (const std::uint32_t shard : own_slots ? std::vector{1u} : orders[first]) {
          Wire client = rig.dial(shard);
          client.write(Rig::request_for());
          CHECK(client.read_answer().status() == 200);
        }
      }
    }
  }
}

TEST_CASE("a client that was cut returns as a slow one: it cannot take the sockets of others again") {
  FakeWorker worker(large_or_small());
  Rig rig({{{worker.address()}}, few_sockets(4)});
  std::vector<Wire> readers;
  for (int i = 0; i < 4; ++i) readers.push_back(begin_slow_reader(rig));
  REQUIRE(eventually([&] { return slow(rig) == 4; }));
  CHECK(rig.get().status() == 200);  // of the same address: from now on it counts as slow, too
  for (int i = 0; i < 8; ++i) readers.push_back(begin_slow_reader(rig));
  let_pass(Duration{600});
  CHECK(rig.sockets(0) <= 3);
}

TEST_CASE("an answer whose rest fits is read to its end, and its socket serves others") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
      const std::size_t size = std::stoul(call.request.head.substr(call.request.head.find('=') + 1));
      const std::string body(size, 'x');
      std::array<char, 32> head{};
      const std::size_t length = http::write_chunk_head(size, head.data());
      call.write(call.request.head.find("/chunked") != std::string::npos
                     ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(head.data(), length) +
                           body + "\r\n0\r\n\r\n"
                     : "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body);
    }
  });
  Rig rig({{{worker.address()}}}, {.send_buffer = 4'096});
  constexpr std::size_t kClients = 20;
  // How many answers, of 20 to 400 KB, are read to their end for clients that read nothing.
  const auto complete = [&](std::string_view path) {
    const std::uint64_t before = rig.totals().requests;
    std::vector<Wire> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(rig.dial(0, 4'096));
      clients.back().write(Rig::request_for(std::string(path) + std::to_string(20'000 + 20'000 * i)));
    }
    CHECK(eventually([&] { return rig.totals().requests - before + slow(rig) == kClients; }));
    return rig.totals().requests - before;
  };
  const auto unknown = complete("/chunked?n=");  // no more is read once the client takes no more
  // The clients have left; a request leaves the slow share before it is counted.
  REQUIRE(eventually([&] { return slow(rig) == 0 && rig.totals().requests == kClients; }));
  const auto known = complete("/sized?n=");  // 128 KiB are kept
  CHECK(known > unknown);
  CHECK(known < kClients);
}
