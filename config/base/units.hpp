#pragma once
// Durations and sizes with units, as people write them: "250ms", "1s", "5m", "64KiB"; percentages.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/time.hpp"

namespace gray {

/// A whole or decimal number and one of ms, s, m, h ("1.5s"). No sign, no space, no bare number but "0". At most 365
/// days.
std::optional<Duration> parse_duration(std::string_view text);
/// A whole number and one of B, KiB, MiB, GiB. No sign, no space, no bare number but "0". At most 2^50 bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// Exactly, in the form that people write: "250ms", "1.5s", "5m", "1h", "0"; parse_duration() reads it back.
std::string format_duration(Duration value);
/// Likewise, in the largest unit that needs no fraction.
std::string format_size(std::uint64_t bytes);

/// "12.5" or "12.5%", from 0 to 100; nothing for any other text.
std::optional<double> parse_percent(std::string_view text);
/// Of a percentage above 0 and below 1, which is often a fraction by mistake: "0.2 % is 1 user in 500; did you mean
/// 20?". Empty for every other.
std::string fraction_question(double percent);

}  // namespace gray
