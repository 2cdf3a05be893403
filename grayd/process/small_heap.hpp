#pragma once
// How the master's allocator behaves. Left alone it gives each thread that answers operators a heap of its own, and
// once one big block was freed it keeps twice as much in each for the next one: the memory of a process that is nearly
// idle would tell of its busiest moment.
#include <cstddef>

namespace gray::master {

constexpr std::size_t kFreeKept = 512 << 10;  // bytes at the end of the heap that stay when all behind is free

/// Before the first thread: one heap for all, and what is free at its end goes back. Not for a router, whose threads
/// must not wait for each other.
void keep_heap_small();

}  // namespace gray::master
