// What the connection of a client holds, and what it waits for.
#include "router/downstream/downstream.hpp"
#include "tests/router/process/upgrades.hpp"
#include "tests/router/process/weighing.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("a client that does not read holds the unsent bytes, here and in the kernel") {
  constexpr std::size_t kLarge = 16 << 20;
  FakeWorker worker(
      answers("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kLarge) + "\r\n\r\n" + std::string(kLarge, 'x')));
  Rig rig({{{worker.address()}}}, {.send_buffer = 16 << 10});
  Wire client = rig.dial(0, 4'096);
  client.write(Rig::request_for("/large"));
  REQUIRE(eventually([&] {
    const auto report = weigh(rig);
    return std::ranges::any_of(report.largest, [](const MemoryHolder& one) {
      return one.owner == MemoryOwner::clients && one.waits_for == WaitsFor::client_read && one.bytes > 8'192;
    });
  }));
  const auto report = weigh(rig);
  const auto reader = holder(report, MemoryOwner::clients);
  CHECK(reader.path == "/large");
  CHECK(reader.kernel_bytes > 4'096);
  CHECK(reader.bytes < 2 * engine::kMaxUnsent);
  CHECK(share(report, MemoryOwner::kernel_sockets, 0).bytes >= reader.kernel_bytes);
}

TEST_CASE("half a head, half a body, a tunnel") {
  FakeWorker worker(upgrades());
  Rig rig({{{worker.address()}}});
  Wire tunnel = tunnel_to(rig);
  auto report = weigh(rig);
  CHECK(share(report, MemoryOwner::tunnels, 0).count == 2);  // both connections
  CHECK(holder(report, MemoryOwner::tunnels).waits_for == WaitsFor::either_side);
  Wire head = rig.dial();
  head.write("GET /half HTTP/1.1\r\nHo");
  REQUIRE(eventually([&] {
    report = weigh(rig);
    return holder(report, MemoryOwner::clients).waits_for == WaitsFor::client_head;
  }));
  Wire body = rig.dial();
  body.write("POST /body HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf");
  REQUIRE(eventually([&] { return rig.totals().in_flight == 2; }));
  const auto uploading = holder(weigh(rig), MemoryOwner::clients);
  CHECK(uploading.path == "/body");
  CHECK(uploading.waits_for == WaitsFor::client_body);
}
