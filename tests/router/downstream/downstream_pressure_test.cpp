// What a connection does when the router is short of memory.
#include "router/downstream/downstream.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;
using policy::MemoryLevel;

namespace {

constexpr std::size_t kBudget = 16 << 20;

/// Fills the budget up to a level, and gives the bytes back in the end.
struct Fill {
  Rig& rig;
  std::size_t bytes;
  Fill(Rig& owner, MemoryLevel level)
      : rig(owner), bytes(policy::start_of(level, kBudget) + 4'096 - owner.memory.used()) {
    rig.memory.add(bytes);
    rig.on([](proxy::Shard&) {});  // the thread has been told
  }
  ~Fill() { rig.memory.give(bytes); }
};

FakeWorker::Script large() {
  return [](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n");
    const std::string piece(64 << 10, 'x');
    for (int i = 0; i < 153 && call.write(piece);) ++i;
  };
}

}  // namespace

TEST_CASE("a client that takes no more of its answer is broken off with a reset, and others are not") {
  FakeWorker worker(large());
  Rig rig({{{worker.address()}}}, {.budget = kBudget, .send_buffer = 4'096});
  Wire reader = rig.dial(0, 4'096);
  Wire idle = rig.dial();
  reader.write(Rig::request_for());
  REQUIRE(eventually([&] { return rig.on([](proxy::Shard& shard) { return shard.held_bytes(); }) > 4'096; }));
  const Fill fill(rig, MemoryLevel::shed);
  REQUIRE(eventually([&] { return rig.closed_clients() == 1; }));
  (void)reader.read_rest();
  CHECK(reader.end() == Wire::End::reset);
  CHECK(rig.reason(segment::Reason::overloaded) == 1);
  CHECK(rig.totals().errors == 0);  // the worker did nothing wrong
}

TEST_CASE("no answer is read ahead of its client while memory is short") {
  FakeWorker worker(answers("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x')));
  Rig rig({{{worker.address()}}}, {.budget = kBudget, .send_buffer = 4'096});
  const auto held = [&] { return rig.on([](proxy::Shard& shard) { return shard.held_bytes(); }); };
  Wire first = rig.dial(0, 4'096);
  first.write(Rig::request_for());
  CHECK(eventually([&] { return rig.totals().requests == 1; }));
  const std::size_t ahead = held();
  CHECK(ahead > 30'000);
  const Fill fill(rig, MemoryLevel::shrink);
  Wire second = rig.dial(0, 4'096);
  second.write(Rig::request_for());
  CHECK(eventually([&] { return held() > ahead; }));
  CHECK(stands_still([&] { return held(); }));
  CHECK(held() <= ahead + 2 * engine::kMinRead);
  CHECK(first.read_answer().body.size() == 100'000);
  CHECK(second.read_answer().body.size() == 100'000);
}
