#pragma once
// The time of all processors of the host, in ticks since its start, as /proc/stat counts it, without that of this
// process.
#include <cstdint>
#include <optional>
#include <string_view>

namespace gray::supervisor {

struct CpuTime {
  std::uint64_t busy = 0;  // also taken by the hypervisor
  std::uint64_t all = 0;   // with idle time
};

/// From the text of /proc/stat; nothing if it is malformed. Pure.
std::optional<CpuTime> parse_cpu_time(std::string_view proc_stat);
/// Now, by others: what grayd itself has used is neither busy nor idle. Nothing if it cannot be read.
std::optional<CpuTime> cpu_time_of_others();

}  // namespace gray::supervisor
