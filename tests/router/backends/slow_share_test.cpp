#include "router/backends/slow_share.hpp"

#include <doctest/doctest.h>

#include <barrier>
#include <thread>

using namespace gray;
using namespace gray::proxy;

namespace {

struct Request final : SlowRequest {
  explicit Request(SlowShare& share, const Version& version) : share_(share), version_(version) {}
  void cut_as_slow() override {
    cut = true;
    share_.leave(version_, *this);
  }
  bool cut = false;

 private:
  SlowShare& share_;
  const Version& version_;
};

/// A version with one worker that has `limit` sockets, as the thread of a router slot sees it.
struct View {
  View(segment::Segment& segment, std::uint32_t limit, std::uint32_t slot = 0) : share(*segment, slot) {
    version.row = 3;
    version.limits.max_sockets = limit;
    Worker& worker = version.workers.emplace_back();
    worker.cell = 5;
    worker.able = true;
  }
  Version version;
  SlowShare share;
};

void use(segment::Segment& segment, int sockets) {
  for (int i = 0; i < sockets; ++i) REQUIRE(segment->workers[5].sockets.acquire(0, 1'000));
}

}  // namespace

TEST_CASE("slow requests may hold half of the sockets, and more while a quarter stays unused") {
  segment::Segment segment = segment::Segment::create();
  View view(segment, 8);
  std::vector<Request> requests(8, Request(view.share, view.version));
  use(segment, 6);  // of others: nothing is unused beyond the quarter
  for (int i = 0; i < 4; ++i) {
    CHECK(view.share.admits(view.version));
    view.share.count(view.version, requests[static_cast<std::size_t>(i)]);
  }
  CHECK_FALSE(view.share.admits(view.version));
  segment->workers[5].sockets.release(0);
  CHECK(view.share.admits(view.version));
  view.share.leave(view.version, requests[0]);
  use(segment, 1);
  CHECK(view.share.admits(view.version));
}

TEST_CASE("an idle socket of any thread of this router is unused") {
  segment::Segment segment = segment::Segment::create();
  View view(segment, 2);
  Request slow(view.share, view.version);
  view.share.count(view.version, slow);
  use(segment, 2);
  CHECK_FALSE(view.share.admits(view.version));
  segment::writable_row(*segment, 1, 0, 3).idle = 1;  // of a different router
  CHECK_FALSE(view.share.admits(view.version));
  segment::writable_row(*segment, 0, 1, 3).idle = 1;
  CHECK(view.share.admits(view.version));
}

TEST_CASE("two threads that see the same excess cut one client") {
  segment::Segment segment = segment::Segment::create();
  for (int round = 0; round < 200; ++round) {
    View one(segment, 2), two(segment, 2);
    Request first(one.share, one.version), second(two.share, two.version);
    one.share.measured(one.version, first, 1);
    two.share.measured(two.version, second, 1);
    std::barrier start(2);
    std::thread other([&] {
      start.arrive_and_wait();
      two.share.cut(two.version, UINT64_MAX);
    });
    start.arrive_and_wait();
    one.share.cut(one.version, UINT64_MAX);
    other.join();
    CHECK(first.cut != second.cut);
    one.share.leave(one.version, first);
    two.share.leave(two.version, second);
    REQUIRE(segment->versions[3].slow.total() == 0);
  }
}

TEST_CASE("of a single socket a slow request may have it") {
  segment::Segment segment = segment::Segment::create();
  View view(segment, 1);
  Request first(view.share, view.version);
  CHECK(view.share.admits(view.version));
  view.share.count(view.version, first);
  use(segment, 1);
  CHECK_FALSE(view.share.admits(view.version));
  CHECK(view.share.excess(view.version) == 1);
}

TEST_CASE("only what is beyond the share is cut, the slowest first, and only what is measured") {
  segment::Segment segment = segment::Segment::create();
  View view(segment, 4);
  Request fast(view.share, view.version), slow(view.share, view.version), slowest(view.share, view.version),
      unmeasured(view.share, view.version);
  view.share.measured(view.version, fast, 30'000);
  view.share.measured(view.version, slow, 2'000);
  CHECK_FALSE(view.share.cut(view.version, UINT64_MAX));  // two of four are within the share
  view.share.measured(view.version, slowest, 1'000);
  view.share.count(view.version, unmeasured);
  CHECK(view.share.excess(view.version) == 2);
  CHECK_FALSE(view.share.cut(view.version, 1'000));  // not slower than the one that waits
  CHECK(view.share.cut(view.version, UINT64_MAX));
  CHECK(slowest.cut);
  view.share.measured(view.version, slow, 40'000);  // it became faster than the other
  CHECK(view.share.cut(view.version, UINT64_MAX));
  CHECK(fast.cut);
  CHECK_FALSE(view.share.cut(view.version, UINT64_MAX));
  CHECK_FALSE(slow.cut);
  CHECK_FALSE(unmeasured.cut);
}

TEST_CASE("a request counts once, and leaves once") {
  segment::Segment segment = segment::Segment::create();
  View view(segment, 2);
  Request request(view.share, view.version);
  view.share.leave(view.version, request);
  view.share.count(view.version, request);
  view.share.measured(view.version, request, 1);
  view.share.measured(view.version, request, 2);
  CHECK(segment->versions[3].slow.total() == 1);
  view.share.leave(view.version, request);
  view.share.leave(view.version, request);
  CHECK(segment->versions[3].slow.total() == 0);
}

TEST_CASE("the share is one over all routers, and a router that died gives its part back") {
  segment::Segment segment = segment::Segment::create();
  View ours(segment, 2), theirs(segment, 2, 1);
  Request one(ours.share, ours.version), two(theirs.share, theirs.version);
  ours.share.measured(ours.version, one, 1);
  CHECK(ours.share.excess(ours.version) == 0);
  theirs.share.measured(theirs.version, two, 1);
  CHECK(ours.share.excess(ours.version) == 1);
  segment.forget(1);
  CHECK(ours.share.excess(ours.version) == 0);
}
