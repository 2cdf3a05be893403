#include "supervisor/kernel/cpu_time.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "supervisor/kernel/process_table.hpp"

namespace gray::supervisor {

// cpu user nice system idle iowait irq softirq steal ...; the time of guests is part of user and nice.
std::optional<CpuTime> parse_cpu_time(std::string_view proc_stat) {
  if (!proc_stat.starts_with("cpu ")) return std::nullopt;
  const std::string line(proc_stat.substr(0, proc_stat.find('\n')));
  std::array<unsigned long long, 8> ticks{};
  const int fields = std::sscanf(line.c_str(), "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1],
                                 &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]);
  if (fields < 5) return std::nullopt;
  CpuTime time;
  for (const unsigned long long part : ticks) time.all += part;
  time.busy = time.all - ticks[3] - ticks[4];
  return time;
}

std::optional<CpuTime> cpu_time_of_others() {
  auto time = parse_cpu_time(
      read_file("/proc/stat", [](std::string_view text) { return text.find('\n') != std::string_view::npos; }));
  timespec own{};
  if (!time || ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own) != 0) return std::nullopt;
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::uint64_t ticks = static_cast<std::uint64_t>(own.tv_sec) * per_second +
                              static_cast<std::uint64_t>(own.tv_nsec) * per_second / 1'000'000'000;
  time->busy -= std::min(time->busy, ticks);
  time->all -= std::min(time->all, ticks);
  return time;
}

}  // namespace gray::supervisor
