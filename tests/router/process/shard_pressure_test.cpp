// What a router thread does at each level of the memory budget.
#include <poll.h>

#include "router/policy/memory_ladder.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;
using policy::MemoryLevel;

namespace {

constexpr std::size_t kBudget = 16 << 20;

/// A router whose memory is filled up to a level by something else.
struct Filled {
  FakeWorker worker{says("hello")};
  Rig rig{Plan{{{worker.address()}}}, {.budget = kBudget}};
  std::size_t filled = 0;

  void fill(MemoryLevel level) {
    filled = policy::start_of(level, kBudget) + 4'096;
    rig.memory.add(filled);
    rig.on([](proxy::Shard&) {});  // the thread has been told
  }
  void empty() {
    rig.memory.give(std::exchange(filled, 0));
    rig.on([](proxy::Shard&) {});
  }
};

}  // namespace

TEST_CASE("new requests are refused while memory is short, and their connections are closed") {
  Filled router;
  router.fill(MemoryLevel::refuse);
  const Message refused = router.rig.get();
  CHECK(refused.status() == 503);
  CHECK(refused.field("x-gray-reason") == "overloaded");
  CHECK_FALSE(refused.field("retry-after").empty());
  CHECK(refused.field("connection") == "close");
  CHECK(router.rig.reason(segment::Reason::overloaded) == 1);
  CHECK(router.worker.requests() == 0);
  router.empty();
  CHECK(router.rig.get().status() == 200);
}

TEST_CASE("answers are the last ones of their connections, then connections are kept again") {
  Filled router;
  router.fill(MemoryLevel::last_answers);
  CHECK(router.rig.get().field("connection") == "close");
  router.empty();
  CHECK(router.rig.get().field("connection").empty());
}

TEST_CASE("an idle client is closed soon, although it would have been kept for longer") {
  Filled router;
  Wire idle = router.rig.dial();
  idle.write(Rig::request_for());
  CHECK(idle.read_answer().status() == 200);
  router.fill(MemoryLevel::last_answers);
  router.rig.memory.add(policy::start_of(MemoryLevel::refuse, kBudget) - router.rig.memory.used() + 1);
  CHECK(eventually([&] { return router.rig.closed_clients() == 1; }));  // far sooner than after idle_timeout
  router.rig.memory.give(router.rig.memory.used() - router.filled);
}

TEST_CASE("connections wait in the backlog while streams are shed, and are served afterwards") {
  Filled router;
  router.fill(MemoryLevel::shed);
  Wire waits = router.rig.dial();
  waits.write(Rig::request_for());
  pollfd watched{waits.fd(), POLLIN, 0};
  CHECK(::poll(&watched, 1, 100) == 0);
  router.empty();
  CHECK(waits.read_answer().status() == 200);
}
