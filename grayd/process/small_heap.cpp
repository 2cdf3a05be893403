#include "grayd/process/small_heap.hpp"

#include <malloc.h>

namespace gray::master {

void keep_heap_small() {
  ::mallopt(M_ARENA_MAX, 1);
  // Also stops the allocator's automatic adjustment of this threshold and of M_MMAP_THRESHOLD.
  ::mallopt(M_TRIM_THRESHOLD, kFreeKept);
}

}  // namespace gray::master
