#include "router/wire/framing.hpp"

#include <algorithm>

#include "router/http/characters.hpp"
#include "router/wire/head.hpp"

namespace gray::http {

namespace {

FramingResult refuse_framing(int status, const char* rule, const char* text) { return {{}, status, rule, text}; }

// Anything but exactly "chunked": 501 if it is a list of codings that may exist, with chunked at its end if at all; 400
// if it is ambiguous or malformed, because two parsers could then read it differently.
FramingResult refuse_coding(std::string_view list) {
  std::string_view coding;
  bool chunked = false;
  std::uint32_t codings = 0;
  for (bool more = true; next_member(list, more, coding);) {
    if (++codings > kMaxListMembers) return refuse_framing(400, "P16", "too many transfer codings");
    if (chunked) return refuse_framing(400, "P16", "a transfer coding after chunked");
    const bool token = !coding.empty() && std::all_of(coding.begin(), coding.end(), is_token);
    if (!token) return refuse_framing(400, "P16", "malformed Transfer-Encoding");
    if (equals_ignoring_case(coding, "identity")) return refuse_framing(400, "P16", "Transfer-Encoding: identity");
    chunked = equals_ignoring_case(coding, "chunked");
  }
  return refuse_framing(501, "P16", "unknown transfer coding");
}

// Shared by both directions: checks the framing fields before the rest of the message is considered.
FramingResult frame(const FramingFields& fields, Framing::Kind without_fields) {
  if (fields.transfer_encodings > 0) {
    if (fields.minor == 0) return refuse_framing(400, "P16", "Transfer-Encoding in HTTP/1.0");
    if (fields.content_lengths > 0) return refuse_framing(400, "P15", "Transfer-Encoding and Content-Length");
    if (fields.transfer_encodings > 1) return refuse_framing(400, "P16", "more than one Transfer-Encoding");
    if (!equals_ignoring_case(fields.transfer_encoding, "chunked")) return refuse_coding(fields.transfer_encoding);
    return {{Framing::Kind::chunked, 0}};
  }
  if (fields.content_lengths == 0) return {{without_fields, 0}};
  if (fields.content_lengths > 1) return refuse_framing(400, "P17", "more than one Content-Length");
  std::uint64_t length = 0;
  if (!parse_content_length(fields.content_length, length)) return refuse_framing(400, "P17", "invalid Content-Length");
  return {{Framing::Kind::length, length}};
}

}  // namespace

FramingResult frame_request(const FramingFields& fields) { return frame(fields, Framing::Kind::none); }

// The fields must be valid even where they are ignored (P18), because a HEAD or 304 response forwards its
// Content-Length.
FramingResult frame_response(const FramingFields& fields, int status, bool head_request, bool connect_request) {
  FramingResult result = frame(fields, Framing::Kind::until_close);
  if (result.status != 0) {
    result.status = 502;
    return result;
  }
  const bool bodiless = head_request || status < 200 || status == 204 || status == 304;
  if (bodiless || (connect_request && status < 300)) result.framing = {};
  return result;
}

bool parse_content_length(std::string_view text, std::uint64_t& value) {
  if (text.empty()) return false;
  std::uint64_t sum = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (__builtin_mul_overflow(sum, 10u, &sum) || __builtin_add_overflow(sum, digit, &sum)) return false;
  }
  value = sum;
  return true;
}

}  // namespace gray::http
