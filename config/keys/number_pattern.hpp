#pragma once
// Regular expressions (ECMA 262, without look-ahead) for numbers with a unit, because a JSON Schema can check a text
// only by a pattern. Pure.
#include <cstdint>
#include <string>

namespace gray {

/// Whole numbers from `least` to `most`, also with zeros in front of them: "0*(?:[1-9]|[1-9][0-9])". Without anchors.
std::string whole_pattern(std::uint64_t least, std::uint64_t most);

/// Sizes as parse_size() reads them, exactly: whole numbers of each unit within the range.
std::string size_pattern(std::uint64_t least, std::uint64_t most);

/// Durations as parse_duration() reads them, in milliseconds. Whole numbers of each unit are exact; a decimal number is
/// one whose whole part is within the range, so the last unit below and above it is not.
std::string duration_pattern(std::uint64_t least, std::uint64_t most);

}  // namespace gray
