// What the epoll engine says its streams hold.
#include "router/engine/heap_bytes.hpp"
#include "tests/router/engine/running.hpp"

using namespace gray;
using namespace gray::engine;

TEST_CASE("a stream holds itself, its unsent tail, and buffers of the kernel") {
  Running run;
  Log log(run);
  Pair pair;
  run.on([&] { log.stream = log.engine.adopt(pair.ours.release(), log); });
  const auto idle = run.on([&] { return log.engine.memory(log.stream, true); });
  CHECK(idle.process >= 64);
  CHECK(idle.process < 1'024);
  CHECK(idle.unsent == 0);
  const std::string bytes(400'000, 'x');
  run.on([&] {
    for (std::size_t sent = 0; sent < bytes.size() && log.engine.unsent(log.stream) < kLowWatermark; sent += 10'000)
      log.engine.send(log.stream, std::string_view(bytes).substr(0, 10'000));
  });
  const auto full = run.on([&] { return log.engine.memory(log.stream, true); });
  CHECK(full.unsent >= kLowWatermark);
  CHECK(full.process >= idle.process + full.unsent);
  CHECK(full.process <= idle.process + 2 * full.unsent);
  CHECK(full.kernel > 10'000);
  CHECK(run.on([&] { return log.engine.memory(log.stream, false).kernel; }) == 0);
}

TEST_CASE("a closed stream holds nothing") {
  Running run;
  Log log(run);
  Pair pair;
  run.on([&] { log.stream = log.engine.adopt(pair.ours.release(), log); });
  run.on([&] { log.engine.close(log.stream); });
  CHECK(run.on([&] { return log.engine.memory(log.stream, true).process; }) == 0);
  CHECK(run.on([&] { return log.engine.own_memory(); }) > kMaxRead);
}

TEST_CASE("what a text or an object takes from the heap") {
  CHECK(heap_bytes(std::size_t{0}) == 0);
  CHECK(heap_bytes(std::size_t{1}) == 32);
  CHECK(heap_bytes(std::size_t{25}) == 48);
  CHECK(heap_bytes(std::string("short")) == 0);
  CHECK(heap_bytes(std::string(100, 'x')) >= 101);
}
