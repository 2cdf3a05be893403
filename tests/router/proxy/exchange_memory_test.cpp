// What a request holds, and what it waits for.
#include "router/proxy/exchange.hpp"
#include "tests/router/process/weighing.hpp"

using namespace gray;
using namespace gray::test;

namespace {

/// A worker that answers when the gate opens.
FakeWorker::Script at_the_gate(Gate& gate) {
  return [&gate](FakeWorker::Call& call) {
    while (call.next()) {
      gate.wait();
      call.write(kOk);
    }
  };
}

}  // namespace

TEST_CASE("a request at a worker, and one that waits for its socket") {
  Gate gate;
  FakeWorker worker(at_the_gate(gate));
  Rig rig({{{worker.address()}}, few_sockets(1)});
  Wire first = rig.dial(), second = rig.dial();
  first.write(Rig::request_for("/first"));
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  const std::string path = "/second?" + std::string(400, 'x');
  second.write(Rig::request_for(path));
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  const auto report = weigh(rig);
  gate.open();
  const auto queued = holder(report, MemoryOwner::queue), asked = holder(report, MemoryOwner::clients);
  CHECK(queued.waits_for == WaitsFor::socket);
  CHECK(queued.path == path.substr(0, kHolderText));
  CHECK(queued.row == 0);
  CHECK(queued.worker.empty());
  CHECK(asked.path == "/first");
  CHECK(asked.waits_for == WaitsFor::worker_answer);
  CHECK(asked.worker == "web@v1#0");
  CHECK(asked.kernel_bytes < 1 << 20);
  CHECK(share(report, MemoryOwner::queue, 0).count == 1);
  CHECK(share(report, MemoryOwner::queue, 0).bytes > 1'000);
  first.read_answer();
  second.read_answer();
  const auto later = weigh(rig);
  CHECK(share(later, MemoryOwner::queue, 0).count == 0);
  CHECK(share(later, MemoryOwner::queue, 0).high_water >= share(report, MemoryOwner::queue, 0).bytes);
}
