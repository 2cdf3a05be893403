#include "router/engine/allocation_faults.hpp"

#include <doctest/doctest.h>

#include "router/engine/buffer_pool.hpp"
#include "router/engine/stream.hpp"

using namespace gray::engine;

TEST_CASE("a debug build fails the given share of allocations, and nothing without it") {
  CHECK_FALSE(allocation_fails());
  fail_allocations(50);
  int failed = 0;
  for (int i = 0; i < 10'000; ++i) failed += allocation_fails();
  CHECK(failed > 4'000);
  CHECK(failed < 6'000);
  fail_allocations(100);
  BufferPool pool(1 << 20);
  CHECK_FALSE(pool.take(100, 1));
  CHECK(pool.refused() == 1);
  CHECK(pool.outstanding() == 0);
  StreamTable table;
  CHECK(table.take() == nullptr);
  CHECK(table.open() == 0);
  fail_allocations(0);
  CHECK(pool.take(100, 1));
  Stream* stream = table.take();
  REQUIRE(stream != nullptr);
  CHECK(stream->index == 0);
}
