#include "router/downstream/turn_away.hpp"

#include "router/engine/allocation_faults.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("without memory for anything a client is answered 503, and afterwards as usual") {
  FakeWorker worker(says("x"));
  Rig rig(Plan{{{worker.address()}}});
  Wire open = rig.dial();
  open.write(Rig::request_for());
  CHECK(open.read_answer().status() == 200);
  engine::fail_allocations(100);
  // A connection that is open gets no transaction, a new one no object.
  open.write(Rig::request_for());
  const auto refused = open.read_answer();
  CHECK(refused.status() == 503);
  CHECK(refused.field("x-gray-reason") == "overloaded");
  CHECK(open.read_rest().empty());
  CHECK(rig.get().status() == 503);
  engine::fail_allocations(0);
  CHECK(rig.get().status() == 200);
}
