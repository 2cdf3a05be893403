#include "config/base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace gray {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 4> kDurations{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 4> kSizes{{{"B", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}}};
constexpr std::uint64_t kLongest = 365ull * 24 * 3'600'000;
constexpr std::uint64_t kLargest = 1ull << 50;
constexpr std::size_t kFractionDigits = 9;  // keeps fraction * factor far below 2^64

/// Removes and returns the digits at the front of `text`; nothing without a digit or above `limit`.
std::optional<std::uint64_t> take_number(std::string_view& text, std::uint64_t limit) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value > limit) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<std::uint64_t> factor_of(std::string_view name, const std::array<Unit, 4>& units) {
  for (const Unit& unit : units)
    if (unit.name == name) return unit.factor;
  return std::nullopt;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  const auto whole = take_number(text, kLongest);
  if (!whole) return std::nullopt;
  std::uint64_t fraction = 0;
  std::uint64_t scale = 1;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::size_t before = text.size();
    const auto digits = take_number(text, 999'999'999);
    const std::size_t taken = before - text.size();
    if (!digits || taken > kFractionDigits) return std::nullopt;
    fraction = *digits;
    for (std::size_t i = 0; i < taken; ++i) scale *= 10;
  }
  const auto factor = factor_of(text, kDurations);
  if (!factor || fraction * *factor % scale != 0) return std::nullopt;  // finer than 1 ms
  const std::uint64_t value = *whole * *factor + fraction * *factor / scale;
  if (value > kLongest) return std::nullopt;
  return Duration{static_cast<Duration::rep>(value)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text == "0") return 0;
  const auto number = take_number(text, kLargest);
  const auto factor = factor_of(text, kSizes);
  if (!number || !factor || *number > kLargest / *factor) return std::nullopt;
  return *number * *factor;
}

std::string format_duration(Duration value) {
  const auto count = value.count();
  if (count == 0) return "0";
  if (count < 1'000) return std::to_string(count) + "ms";
  if (count % 3'600'000 == 0) return std::to_string(count / 3'600'000) + "h";
  if (count % 60'000 == 0) return std::to_string(count / 60'000) + "m";
  std::string text = std::to_string(count / 1'000);
  if (const auto rest = count % 1'000; rest != 0) {
    text += '.' + std::to_string(1'000 + rest).substr(1);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "s";
}

std::string format_size(std::uint64_t bytes) {
  if (bytes == 0) return "0";
  std::size_t best = 0;
  for (std::size_t i = 0; i < kSizes.size(); ++i)
    if (bytes % kSizes[i].factor == 0) best = i;
  return std::to_string(bytes / kSizes[best].factor) + std::string(kSizes[best].name);
}

std::optional<double> parse_percent(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= 0 && value <= 100 ? std::optional(value) : std::nullopt;  // the comparisons refuse "nan" too
}

std::string fraction_question(double percent) {
  if (!(percent > 0 && percent < 1)) return {};
  std::array<char, 32> text{};
  const auto shortest = [&text](double number) {
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::general, 6).ptr;
    return std::string(text.data(), end);
  };
  const std::string users = std::to_string(std::llround(100 / percent));
  return shortest(percent) + " % is 1 user in " + users + "; did you mean " + shortest(percent * 100) + "?";
}

}  // namespace gray
