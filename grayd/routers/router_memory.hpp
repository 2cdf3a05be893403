#pragma once
// Completes the report of a router by what only /proc can tell: code, stacks, the shared segment, what the allocator
// keeps, and the size of the whole process. Pure.
#include <vector>

#include "config/shared/memory_report.hpp"
#include "grayd/routers/mappings.hpp"

namespace gray::master {

/// `resident`: bytes of the process, for when `mappings` is empty because it may not be read. What is not on the heap
/// is then `code` as a whole.
void complete(RouterMemory& memory, const std::vector<Mapping>& mappings, std::uint64_t resident);

}  // namespace gray::master
