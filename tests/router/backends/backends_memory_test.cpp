// What an idle connection to a worker holds.
#include "router/backends/backends.hpp"
#include "tests/router/process/weighing.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("an idle connection waits for the next request, and holds no transaction") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(Rig::request_for());
  client.read_answer();
  const auto report = weigh(rig);
  const auto clients = share(report, MemoryOwner::clients), workers = share(report, MemoryOwner::workers, 0);
  CHECK(clients.count == 1);
  CHECK(clients.bytes < 2'048);
  CHECK(workers.count == 1);
  const auto idle = holder(report, MemoryOwner::clients);
  CHECK(idle.waits_for == WaitsFor::next_request);
  CHECK(idle.client.starts_with("127.0.0.1:"));
  CHECK(idle.path.empty());
  CHECK(holder(report, MemoryOwner::workers).worker == "web@v1#0");
}
