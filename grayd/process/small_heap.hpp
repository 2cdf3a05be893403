#pragma once
// Settings of the master's allocator. By default each thread that answers operators gets its own heap, and after a big
// block was freed each heap keeps twice as much for the next one: a process that is nearly idle would keep the memory
// of its busiest moment.
#include <cstddef>

namespace gray::master {

constexpr std::size_t kFreeKept = 512 << 10;  // free bytes that stay at the end of the heap

/// One heap for all threads; free memory at its end is returned to the kernel. To be called before the first thread.
/// Not for a router, whose threads must not wait for each other.
void keep_heap_small();

}  // namespace gray::master
