#pragma once
// HPACK without state: names by their number in the static table, usual statuses as one byte, everything else as a
// literal without indexing and without Huffman. So there is no table that could be corrupted, and none to keep.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gray::h2 {

/// The most bytes that encode_field() writes.
constexpr std::size_t field_bound(std::size_t name, std::size_t value) { return name + value + 1 + 6 + 6; }
inline constexpr std::size_t kStatusBound = 5;
inline constexpr char kEmptyTable = 0x20;  // a size update to 0; allowed only at the beginning of a block

/// An integer with a prefix of `bits` bits; `first` has the bits above it.
char* encode_integer(std::uint32_t value, unsigned bits, unsigned first, char* out);
/// 100..599
char* encode_status(int status, char* out);
/// `name` is written in lower case. Cookies, Set-Cookie and credentials are marked as never to be indexed.
char* encode_field(std::string_view name, std::string_view value, char* out);

}  // namespace gray::h2
