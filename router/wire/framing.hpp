#pragma once
// How a message body ends: decided in one pure function for each direction, in the order of RFC 9112 6.3.
#include <cstdint>
#include <string_view>

#include "router/http/message.hpp"

namespace gray::http {

struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  // of Kind::length
  bool operator==(const Framing&) const = default;
};

/// The same for code that does not read the bytes.
inline Body body_of(const Framing& framing) {
  if (framing.kind == Framing::Kind::none) return {};
  if (framing.kind == Framing::Kind::length) return {Body::Kind::sized, framing.length};
  return {Body::Kind::open, 0};
}

/// The framing fields as received. Several fields, or several members of one, are not merged: they are counted.
struct FramingFields {
  std::uint32_t content_lengths = 0;
  std::string_view content_length;
  std::uint32_t transfer_encodings = 0;
  std::string_view transfer_encoding;
  std::uint8_t minor = 1;  // HTTP/1.minor of the message
};

struct FramingResult {
  Framing framing;
  int status = 0;  // 0: fine; otherwise the status of the fault (400, 501)
  const char* rule = "";
  const char* text = "";
};

FramingResult frame_request(const FramingFields& fields);
/// `status` of the response; `head_request`, `connect_request`: what it answers.
FramingResult frame_response(const FramingFields& fields, int status, bool head_request, bool connect_request);

/// 1*DIGIT without sign, space or overflow; false otherwise (RFC 9110 8.6).
bool parse_content_length(std::string_view text, std::uint64_t& value);

}  // namespace gray::http
