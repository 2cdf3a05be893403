#pragma once
// W3C Trace Context: the `traceparent` of a request is forwarded with our own span as the parent, so that the worker's
// span is a child of the router's. An invalid or repeated one is dropped together with `tracestate`; none is created
// for a request without one.
#include <array>
#include <cstddef>
#include <string_view>

namespace gray::http {

inline constexpr std::size_t kTraceId = 32;  // hex digits
inline constexpr std::size_t kSpanId = 16;

struct TraceParent {
  std::string_view trace_id;    // empty: there is none
  std::array<char, 2> flags{};  // as forwarded
  explicit operator bool() const { return !trace_id.empty(); }
};

/// Reads a value of version 00 to fe. A version after 00 may have more text behind its flags; it is forwarded as 00,
/// with the one flag that 00 defines. Empty if the grammar is violated: lower-case hex, no id of zeros only.
TraceParent read_traceparent(std::string_view value);

inline constexpr std::size_t kTraceParentText = 2 + 1 + kTraceId + 1 + kSpanId + 1 + 2;
/// Writes "00-trace-span-flags", kTraceParentText bytes. `span` has kSpanId digits.
void write_traceparent(const TraceParent& parent, std::string_view span, char* out);

}  // namespace gray::http
