#include "control/grayctl/top/plain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "control/grayctl/table.hpp"

namespace gray::control {
namespace {

constexpr const char* kLine =
    "{:<20} {:<10} {:<10} {:<6} {:>6} {:>3} {:>9} {:>8} {:>6} {:>8} {:>8} {:>5} {:>5} {:>11} {:<12} {}\n";

/// A field: without spaces and control characters, and never empty.
std::string field(const std::string& text) {
  std::string clean = harmless(text);
  std::ranges::replace(clean, ' ', '_');
  return clean.empty() ? "-" : clean;
}

std::string decimal(double value, int digits) { return fmt::format("{:.{}f}", value, digits); }

}  // namespace

std::string plain_titles() {
  return fmt::format(fmt::runtime(kLine), "TIME", "SERVICE", "VERSION", "STABLE", "WEIGHT", "UP", "INSTANCES", "RPS",
                     "ERR%", "P50_MS", "P99_MS", "SOCKS", "QUEUE", "MEM_BYTES", "VERDICT", "MARK");
}

std::string plain_lines(const TopView& view, const std::string& time) {
  std::string lines;
  for (const VersionFigures& its : view.versions)
    lines += fmt::format(fmt::runtime(kLine), time, field(its.service), field(its.name), its.stable ? "yes" : "no",
                         fmt::format("{:g}", its.weight), its.up, its.instances, decimal(its.rate, 1),
                         decimal(100 * its.error_ratio, 2), decimal(its.p50_ms, 1), decimal(its.p99_ms, 1), its.sockets,
                         its.waiting, decimal(its.memory, 0), field(its.verdict), its.bad.empty() ? "ok" : "bad");
  return lines;
}

}  // namespace gray::control
