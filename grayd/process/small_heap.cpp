#include "grayd/process/small_heap.hpp"

#include <malloc.h>

namespace gray::master {

void keep_heap_small() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD,
            kFreeKept);  // being told ends the allocator's own adjusting, that of M_MMAP_THRESHOLD, too
}

}  // namespace gray::master
