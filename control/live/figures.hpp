#pragma once
// Figures in few characters, for tables. Pure.
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

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

/// "99999", "100k", "12.3M": at most five characters up to 10^15.
inline std::string short_count(double value) {
  if (value < 100'000) return fmt::format("{:.0f}", value);
  std::size_t unit = 0;
  constexpr std::string_view kUnits = "kMGT";
  for (value /= 1000; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return fmt::format("{:.{}f}{}", value, value < 100 ? 1 : 0, kUnits[unit]);
}

/// "0", "<.01", "0.05", "3.2", "17": at most four characters below 10,000.
inline std::string short_number(double value) {
  if (value <= 0) return "0";
  if (value < 0.01) return "<.01";
  if (value < 0.995) return fmt::format("{:.2f}", value);
  return value < 9.95 ? fmt::format("{:.1f}", value) : short_count(value);
}

/// "0.4ms", "350ms", "1.2s", "120s": at most five characters.
inline std::string short_time(double milliseconds) {
  if (milliseconds < 9.95) return fmt::format("{:.1f}ms", milliseconds);
  if (milliseconds < 999.5) return fmt::format("{:.0f}ms", milliseconds);
  return fmt::format("{:.{}f}s", milliseconds / 1000, milliseconds < 9950 ? 1 : 0);
}

}  // namespace gray::control
