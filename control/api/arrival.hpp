#pragma once
// How much of an HTTP request has arrived, judged by its first bytes. Whether it is valid is for the parser: bytes that
// it refuses at once count as a whole request. Pure.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gray::control {

enum class Arrival : std::uint8_t {
  part,   // of the head
  head,   // and not the whole body yet
  slow,   // the head; the body must be read by the parser, because it is large, in chunks, or waits for a 100
  whole,  // nothing more is expected
};

inline constexpr std::size_t kArriving = 16 << 10;  // bytes: larger requests are `slow`

/// The whole request is expected.
Arrival arrival_of_request(std::string_view received);
/// Only the head is expected: the server does not read bodies.
Arrival arrival_of_head(std::string_view received);

}  // namespace gray::control
