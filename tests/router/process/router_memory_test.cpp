// The answer of a router to the question of its master.
#include "config/base/sanitized.hpp"
#include "router/process/router.hpp"
#include "tests/router/process/fake_master.hpp"

using namespace gray;
using namespace gray::test;

namespace {

using Type = ChannelMessage::Type;

const MemoryShare* share_of(const MemoryReport& report, MemoryOwner owner) {
  const auto found = std::ranges::find(report.shares, owner, &MemoryShare::owner);
  return found == report.shares.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("all threads answer together, under the number of the question") {
  FakeWorker worker(says("one"));
  FakeMaster master;
  std::string error;
  auto segment =
      segment::Segment::attach(UniqueFd(::dup(master.segment.fd())), error, UniqueFd(::dup(master.segment.freed())));
  proxy::Router router(master.inheritance(), std::move(*segment), FakeMaster::hello(3));
  std::thread thread([&] { router.run(); });
  master.say_table({{{worker.address()}}, {}, 0, 5});
  master.expect(Type::ready);
  master.send(Type::listen);
  Wire idle = dial(master.listener.address());
  idle.write(Rig::request_for());
  CHECK(idle.read_answer().body == "one");
  ChannelMessage question;
  question.type = Type::weigh;
  question.number = 42;
  master.send(question);
  const auto answer = master.expect(Type::weighed);
  master.die();
  thread.join();
  REQUIRE(answer);
  CHECK(answer->number == 42);
  const MemoryReport& report = answer->memory;
  CHECK(report.stacks.size() == 3);
  REQUIRE(share_of(report, MemoryOwner::clients));
  CHECK(share_of(report, MemoryOwner::clients)->count == 1);
  CHECK(share_of(report, MemoryOwner::workers)->count == 1);
  CHECK(share_of(report, MemoryOwner::event_loops)->count == 3);
  REQUIRE(report.largest.size() == 2);
  CHECK(report.largest[0].waits_for == WaitsFor::next_request);
  if constexpr (!kSanitized) CHECK(report.heap_used > 100'000);
}
