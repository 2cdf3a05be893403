#pragma once
// Lets allocations of the data path fail on purpose, in tests: buffers, transactions, streams and connections ask here
// before they allocate. Only a debug build can: it reads GRAYD_FAIL_ALLOCATIONS, a percentage, at the first call. In a
// release build the answer is always false.

namespace gray::engine {

/// Whether the next allocation is to fail, at random. Any thread.
bool allocation_fails();
/// For a test of one thread: from now on the share that fails, in percent. No effect in a release build.
void fail_allocations(double percent);

}  // namespace gray::engine
