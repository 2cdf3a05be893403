#include "grayd/routers/router_memory.hpp"

#include <algorithm>

namespace gray::master {
namespace {

struct Resident {
  std::uint64_t bytes = 0, count = 0;
  void add(const Mapping& mapping) {
    bytes += mapping.resident;
    if (mapping.resident > 0) ++count;
  }
};

}  // namespace

/// The free heap is what the kernel says is resident beyond what the allocator has handed out. What was handed out and
/// has no owner stays unaccounted for: that is where a lost buffer shows.
void complete(RouterMemory& memory, const std::vector<Mapping>& mappings, std::uint64_t resident) {
  MemoryReport& report = memory.report;
  Resident code, stacks, segment, allowlists, anonymous;
  const auto is_stack = [&](const Mapping& mapping) {
    return mapping.name == "[stack]" ||
           std::ranges::any_of(report.stacks, [&](auto address) { return mapping.contains(address); });
  };
  memory.rss = 0;
  for (const Mapping& mapping : mappings) {
    memory.rss += mapping.resident;
    if (mapping.is_memfd("grayd-segment")) {
      segment.add(mapping);
    } else if (mapping.is_memfd("")) {
      allowlists.add(mapping);
    } else if (mapping.is_file() || mapping.name == "[vdso]" || mapping.name == "[vvar]") {
      code.add(mapping);
    } else if (is_stack(mapping)) {
      stacks.add(mapping);
    } else {
      anonymous.add(mapping);
    }
  }
  if (mappings.empty()) {
    memory.rss = resident;
    anonymous.bytes = std::min(resident, report.heap_used + report.heap_free);
    code = {resident - anonymous.bytes, 1};
  }
  const auto add = [&](MemoryOwner owner, Resident held) {
    report.shares.push_back({.owner = owner, .row = {}, .count = held.count, .bytes = held.bytes, .high_water = 0});
  };
  add(MemoryOwner::segment, segment);
  add(MemoryOwner::allowlists, allowlists);
  add(MemoryOwner::code, code);
  add(MemoryOwner::stacks, stacks);
  const std::uint64_t used = std::min(report.heap_used, anonymous.bytes);
  add(MemoryOwner::free_heap, {report.heap_used == 0 ? 0 : anonymous.bytes - used, 0});
}

}  // namespace gray::master
