#include "control/report/memory_metrics.hpp"

#include <fmt/core.h>

#include <string_view>

namespace gray::control {
namespace {

using segment::BufferCounts;
using Cell = std::atomic<std::uint64_t> BufferCounts::*;

std::string size_label(std::size_t index) {
  return index < std::size(segment::kBufferSizes) ? fmt::format("{}", segment::kBufferSizes[index]) : "larger";
}

std::uint64_t of_slots(const segment::Layout& layout, std::uint32_t thread, std::size_t index, Cell cell) {
  std::uint64_t total = 0;
  for (const auto& slot : layout.memory) total += (slot[thread].buffers[index].*cell).load(std::memory_order_relaxed);
  return total;
}

struct Family {
  std::string_view name, type, help;
  Cell cell;
};
constexpr Family kFamilies[] = {
    {"grayd_buffers_in_use_bytes", "gauge", "Buffers of the routers that hold data.", &BufferCounts::in_use},
    {"grayd_buffers_kept_bytes", "gauge", "Unused buffers that the routers keep for reuse.", &BufferCounts::kept},
    {"grayd_buffers_high_water_bytes", "gauge", "The most that was in use since the router started.",
     &BufferCounts::high_water},
    {"grayd_buffers_released_bytes_total", "counter", "Buffers that were given back to the system.",
     &BufferCounts::released},
    {"grayd_buffers_refused_total", "counter", "Buffers that were not given: the memory budget was used up.",
     &BufferCounts::refused}};

}  // namespace

void memory_metrics(std::string& out, const segment::Layout& layout) {
  for (const Family& family : kFamilies) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", family.name, family.help, family.type);
    for (std::uint32_t thread = 0; thread < segment::kThreads; ++thread) {
      for (std::size_t index = 0; index < segment::kBufferClasses; ++index) {
        const BufferCounts& ended = layout.memory_base[thread].buffers[index];
        const std::uint64_t released = ended.released.load(std::memory_order_relaxed);
        const std::uint64_t refused = ended.refused.load(std::memory_order_relaxed);
        const bool used = released + refused + of_slots(layout, thread, index, &BufferCounts::high_water) +
                              of_slots(layout, thread, index, &BufferCounts::refused) >
                          0;
        if (!used) continue;
        const std::uint64_t value =
            of_slots(layout, thread, index, family.cell) + (ended.*family.cell).load(std::memory_order_relaxed);
        out += fmt::format("{}{{thread=\"{}\",size=\"{}\"}} {}\n", family.name, thread, size_label(index), value);
      }
    }
  }
  constexpr std::string_view kLeaks = "grayd_buffer_leaks_total";
  out += fmt::format("# HELP {0} Buffers that were reported as leaked; see docs/operations.md.\n# TYPE {0} counter\n",
                     kLeaks);
  for (std::size_t kind = 0; kind < segment::kLeakKinds; ++kind) {
    std::uint64_t total = 0;
    for (const auto& thread : layout.memory_base) total += thread.leaks[kind].load(std::memory_order_relaxed);
    for (const auto& slot : layout.memory)
      for (const auto& thread : slot) total += thread.leaks[kind].load(std::memory_order_relaxed);
    out += fmt::format("{}{{kind=\"{}\"}} {}\n", kLeaks, segment::name_of(static_cast<segment::LeakKind>(kind)), total);
  }
}

}  // namespace gray::control
