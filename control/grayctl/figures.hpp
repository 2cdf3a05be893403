#pragma once
// Figures in few characters, for tables. Pure.
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>

namespace gray::control {

/// "512B", "1.5KiB", "64MiB": at most seven characters.
inline std::string short_bytes(double value) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.{}f}{}", value, unit > 0 && value < 10 ? 1 : 0, kUnits[unit]);
}

/// "+1.5KiB", "-64MiB", "0".
inline std::string signed_bytes(double value) {
  if (value == 0) return "0";
  return (value < 0 ? "-" : "+") + short_bytes(value < 0 ? -value : value);
}

/// The two largest units: "45s", "12m5s", "3h20m", "12d3h".
inline std::string elapsed(double seconds) {
  auto s = static_cast<std::uint64_t>(seconds);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{}s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{}h{}m", s / 3600, s % 3600 / 60);
  return fmt::format("{}d{}h", s / 86'400, s % 86'400 / 3600);
}

}  // namespace gray::control
