#include "router/process/memory_scan.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/support/wire.hpp"

using namespace gray;
using namespace gray::proxy;

namespace {

/// An engine on a thread of its own, and a scan of `things` numbered ones that hold a byte each.
struct Scanned {
  std::size_t things;
  engine::BufferPool buffers{1 << 20};
  std::unique_ptr<engine::Engine> engine = engine::make_engine(buffers);
  std::atomic<std::size_t> most{0};  // at once
  std::atomic<int> looks{0}, kernel_looks{0};
  MemoryScan::Part part = [this](std::size_t from, std::size_t count, bool with_kernel, stats::MemoryTally& tally) {
    return look(from, count, with_kernel, tally);
  };
  MemoryScan scan{*engine, {part, part}};
  std::thread thread{[this] { engine->run(); }};

  explicit Scanned(std::size_t count) : things(count) {}
  ~Scanned() {
    engine->stop();
    thread.join();
  }
  std::size_t look(std::size_t from, std::size_t count, bool with_kernel, stats::MemoryTally& tally) {
    if (from == 0) ++(with_kernel ? kernel_looks : looks);
    const std::size_t to = std::min(things, from + count);
    for (std::size_t i = from; i < to; ++i) tally.add(MemoryOwner::clients, 0, 1);
    most = std::max(most.load(), count);
    return to - std::min(from, to);
  }
  bool has_timer() {
    std::promise<bool> promise;
    engine->post([&] { promise.set_value(engine->timers().next_wakeup().has_value()); });
    return promise.get_future().get();
  }
  std::future<MemoryScan::Result> report() {
    auto promise = std::make_shared<std::promise<MemoryScan::Result>>();
    engine->post([this, promise] { scan.report([promise](const auto& result) { promise->set_value(result); }); });
    return promise->get_future();
  }
};

std::uint64_t count_in(const MemoryScan::Result& result) {
  std::uint64_t count = 0;
  for (const auto& [key, share] : result.tally.shares()) count += share.count;
  return count;
}

}  // namespace

TEST_CASE("a report sees everything once, in bounded parts") {
  for (const std::size_t things : {std::size_t{0}, std::size_t{1}, MemoryScan::kAtOnce - 1, MemoryScan::kAtOnce,
                                   MemoryScan::kAtOnce + 1, std::size_t{3'000}}) {
    CAPTURE(things);
    Scanned scanned(things);
    const auto result = scanned.report().get();
    CHECK(count_in(result) == 2 * things);
    CHECK(scanned.most <= MemoryScan::kAtOnce);
    CHECK(scanned.looks == 0);
  }
}

TEST_CASE("reports that are asked for at the same time are all answered") {
  Scanned scanned(5'000);
  std::vector<std::future<MemoryScan::Result>> all;
  for (int i = 0; i < 5; ++i) all.push_back(scanned.report());
  for (auto& one : all) CHECK(count_in(one.get()) == 10'000);
}

TEST_CASE("a connection starts the looks for the marks, which end when nothing is connected") {
  Scanned scanned(3);
  scanned.engine->post([&] { scanned.scan.wake(); });
  REQUIRE(test::eventually([&] { return scanned.looks >= 4; }));  // two looks of two parts
  CHECK(scanned.kernel_looks == 0);
  auto marks = scanned.report().get().tally;
  CHECK(marks.shares()[{MemoryOwner::clients, 0}].high_water == 6);
  scanned.engine->post([&] { scanned.things = 0; });
  // The report sets no timer beside the one that is armed: after its look there is none.
  REQUIRE(test::eventually([&] { return !scanned.has_timer(); }));
  CHECK(scanned.report().get().tally.shares().begin()->second.high_water == 6);
}
