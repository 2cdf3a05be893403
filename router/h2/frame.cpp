#include "router/h2/frame.hpp"

#include <array>

namespace gray::h2 {

namespace {

constexpr std::array<std::string_view, 14> kErrorNames{"NO_ERROR",
                                                       "PROTOCOL_ERROR",
                                                       "INTERNAL_ERROR",
                                                       "FLOW_CONTROL_ERROR",
                                                       "SETTINGS_TIMEOUT",
                                                       "STREAM_CLOSED",
                                                       "FRAME_SIZE_ERROR",
                                                       "REFUSED_STREAM",
                                                       "CANCEL",
                                                       "COMPRESSION_ERROR",
                                                       "CONNECT_ERROR",
                                                       "ENHANCE_YOUR_CALM",
                                                       "INADEQUATE_SECURITY",
                                                       "HTTP_1_1_REQUIRED"};

unsigned byte_at(const char* bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

enum class Where : std::uint8_t { stream, connection, either };

struct FrameRule {
  Where where;
  std::uint32_t least, most, multiple;  // of the payload
};

constexpr std::uint32_t kAny = kMaxFrameSize;
// By FrameType.
constexpr std::array<FrameRule, 10> kFrameRules{{{Where::stream, 0, kAny, 1},
                                                 {Where::stream, 0, kAny, 1},
                                                 {Where::stream, 5, 5, 1},
                                                 {Where::stream, 4, 4, 1},
                                                 {Where::connection, 0, kAny, 6},
                                                 {Where::stream, 4, kAny, 1},
                                                 {Where::connection, 8, 8, 1},
                                                 {Where::connection, 8, kAny, 1},
                                                 {Where::either, 4, 4, 1},
                                                 {Where::stream, 0, kAny, 1}}};

}  // namespace

std::uint16_t read_16(const char* bytes) {
  return static_cast<std::uint16_t>(byte_at(bytes, 0) << 8 | byte_at(bytes, 1));
}

std::uint32_t read_32(const char* bytes) {
  return byte_at(bytes, 0) << 24 | byte_at(bytes, 1) << 16 | byte_at(bytes, 2) << 8 | byte_at(bytes, 3);
}

char* write_16(std::uint16_t value, char* out) {
  *out++ = static_cast<char>(value >> 8);
  *out++ = static_cast<char>(value);
  return out;
}

char* write_32(std::uint32_t value, char* out) {
  return write_16(static_cast<std::uint16_t>(value), write_16(static_cast<std::uint16_t>(value >> 16), out));
}

FrameHead read_frame_head(const char* bytes) {
  const std::uint32_t length = byte_at(bytes, 0) << 16 | byte_at(bytes, 1) << 8 | byte_at(bytes, 2);
  return {length, static_cast<FrameType>(bytes[3]), static_cast<std::uint8_t>(bytes[4]),
          read_32(bytes + 5) & kMaxStreamId};
}

char* write_frame_head(const FrameHead& head, char* out) {
  *out++ = static_cast<char>(head.length >> 16);
  out = write_16(static_cast<std::uint16_t>(head.length), out);
  *out++ = static_cast<char>(head.type);
  *out++ = static_cast<char>(head.flags);
  return write_32(head.stream, out);
}

Violation check_frame(const FrameHead& head, std::uint32_t largest) {
  if (head.length > largest) return {ErrorCode::frame_size_error, "a frame larger than SETTINGS_MAX_FRAME_SIZE"};
  const auto type = static_cast<std::size_t>(head.type);
  if (type >= kFrameRules.size()) return {};
  const FrameRule& rule = kFrameRules[type];
  if (rule.where == Where::stream && head.stream == 0) {
    return {ErrorCode::protocol_error, "a frame of a stream on stream 0"};
  }
  if (rule.where == Where::connection && head.stream != 0) {
    return {ErrorCode::protocol_error, "a frame of the connection on a stream"};
  }
  if (head.length < rule.least || head.length > rule.most || head.length % rule.multiple != 0) {
    return {ErrorCode::frame_size_error, "a frame of a size that its type does not have",
            head.type != FrameType::priority};
  }
  if (head.type == FrameType::settings && head.has(flag::ack) && head.length != 0) {
    return {ErrorCode::frame_size_error, "an acknowledgement of SETTINGS with payload"};
  }
  return {};
}

std::string_view name_of(ErrorCode code) {
  const auto number = static_cast<std::size_t>(code);
  return number < kErrorNames.size() ? kErrorNames[number] : "unknown";
}

}  // namespace gray::h2
