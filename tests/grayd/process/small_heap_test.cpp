#include "grayd/process/small_heap.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <string>

using namespace gray::master;

namespace {

constexpr std::size_t kPeak = 6 << 20;  // bytes

/// Grows like a text that is read piece by piece; its last blocks are mapped at first, after which the allocator would
/// keep as much by default.
void read_much() {
  std::string text;
  while (text.size() < kPeak) text.append(4'096, 'x');
}

}  // namespace

// That there is only one heap is tested from outside, in tests/integration/control_test.py: this process has had
// threads.
TEST_CASE("memory of a peak is returned to the kernel") {
  keep_heap_small();
  const std::size_t before = mallinfo2().arena;  // with a sanitizer's allocator always 0
  for (int round = 0; round < 3; ++round) read_much();
  CHECK(mallinfo2().arena <= before + 2 * kFreeKept);
}
