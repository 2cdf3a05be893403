#pragma once
// HTTP/2 frames (RFC 9113 sections 4 and 6): the nine bytes in front of each, error codes, and the rules that follow
// from these bytes alone. Pure: bytes in, values out.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gray::h2 {

inline constexpr std::size_t kFrameHead = 9;
inline constexpr std::uint32_t kFrameSize = 16384;  // the largest payload that we accept; the RFC's smallest limit
inline constexpr std::uint32_t kMaxFrameSize = (1U << 24) - 1;
inline constexpr std::uint32_t kMaxStreamId = 0x7fffffff;
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class FrameType : std::uint8_t {
  data,
  headers,
  priority,
  rst_stream,
  settings,
  push_promise,
  ping,
  goaway,
  window_update,
  continuation  // every larger number is a type that we ignore
};

enum class ErrorCode : std::uint32_t {
  no_error,
  protocol_error,
  internal_error,
  flow_control_error,
  settings_timeout,
  stream_closed,
  frame_size_error,
  refused_stream,
  cancel,
  compression_error,
  connect_error,
  enhance_your_calm,
  inadequate_security,
  http_1_1_required
};

namespace flag {
inline constexpr std::uint8_t ack = 0x1, end_stream = 0x1, end_headers = 0x4, padded = 0x8, priority = 0x20;
}

enum class Setting : std::uint16_t {
  header_table_size = 1,
  enable_push,
  max_concurrent_streams,
  initial_window_size,
  max_frame_size,
  max_header_list_size,
  no_rfc7540_priorities = 9
};

struct FrameHead {
  std::uint32_t length = 0;  // of the payload
  FrameType type = FrameType::data;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  bool has(std::uint8_t bit) const { return (flags & bit) != 0; }
  bool operator==(const FrameHead&) const = default;
};

/// A rule that the peer broke. `text` is a literal; it names the rule for people.
struct Violation {
  ErrorCode code = ErrorCode::no_error;
  const char* text = "";
  bool whole_connection = true;  // false: only its stream ends
  explicit operator bool() const { return code != ErrorCode::no_error; }
};

/// `bytes`: kFrameHead of them. The reserved bit is ignored.
FrameHead read_frame_head(const char* bytes);
/// Returns the end of what it wrote: kFrameHead bytes.
char* write_frame_head(const FrameHead& head, char* out);

std::uint16_t read_16(const char* bytes);
std::uint32_t read_32(const char* bytes);
char* write_16(std::uint16_t value, char* out);
char* write_32(std::uint32_t value, char* out);

/// The size and the stream number that a type of frame may have. `largest`: the payload that we accept.
Violation check_frame(const FrameHead& head, std::uint32_t largest);

/// "PROTOCOL_ERROR"; "unknown" for a code that the RFC does not name.
std::string_view name_of(ErrorCode code);

}  // namespace gray::h2
