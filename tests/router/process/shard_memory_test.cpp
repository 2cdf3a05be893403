// What a thread holds beside its connections.
#include "router/process/shard.hpp"
#include "tests/router/process/weighing.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("objects that are kept for the next connection belong to the pools") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({{{worker.address()}}});
  rig.get();
  REQUIRE(eventually([&] { return rig.closed_clients() == 1; }));
  const auto report = weigh(rig);
  CHECK(share(report, MemoryOwner::clients).count == 0);
  CHECK(share(report, MemoryOwner::pools).bytes > 2'000);  // of a connection and its transaction
}
