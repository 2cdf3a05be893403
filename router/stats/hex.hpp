#pragma once
// Numbers as hexadecimal text of fixed width, as ids and hashes are written: one for each request and more.
#include <cstddef>
#include <cstdint>

namespace gray::stats {

inline constexpr std::size_t kHexText = 16;

/// Writes exactly kHexText digits, lower case.
void write_hex(std::uint64_t value, char* out);

}  // namespace gray::stats
