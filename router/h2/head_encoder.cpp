// The block is written behind room for one frame head. If it is larger than a frame, its pieces then move apart, the
// last one first, to make room for the heads of CONTINUATION.
#include "router/h2/head_encoder.hpp"

#include <algorithm>
#include <cstring>

#include "router/h2/field_traits.hpp"
#include "router/h2/frame.hpp"
#include "router/h2/hpack_encoder.hpp"
#include "router/http/characters.hpp"
#include "router/http/field_names.hpp"
#include "router/wire/head_writer.hpp"

namespace gray::h2 {

namespace {

using http::Name;

// Most names are not looked up: their first letter and length are enough.
bool stays_behind(std::string_view name) {
  if (name.empty()) return false;
  switch (name.front() | 0x20) {
    case 'c':
    case 'k':
      if (name.size() == 10) break;
      return false;
    case 'p':
      if (name.size() == 16) break;
      return false;
    case 't':
      if (name.size() == 17) break;
      return false;
    case 'u':
      if (name.size() == 7) break;
      return false;
    default: return false;
  }
  const Name id = http::name_of(name);
  return id == Name::connection || id == Name::proxy_connection || id == Name::keep_alive ||
         id == Name::transfer_encoding || id == Name::upgrade;
}

// The writers end each line with CRLF.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\r'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + http::kCrlf.size(), text.size()));
  return line;
}

// Behind a colon and, nearly always, one space.
std::string_view value_in(std::string_view text) {
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty() || (!http::is_blank(text.front()) && !http::is_blank(text.back()))) return text;
  return http::trim_blanks(text);
}

char* encode_lines(std::string_view text, char* out) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return out;  // the empty line
    const std::string_view name = line.substr(0, colon);
    if (!stays_behind(name)) out = encode_field(name, value_in(line.substr(colon + 1)), out);
  }
  return out;
}

// `size`: of the block, which begins kFrameHead bytes behind `out`.
std::size_t frame_block(const HeadersFrames& frames, std::size_t size, char* out) {
  const std::size_t pieces = size == 0 ? 1 : (size + frames.largest - 1) / frames.largest;
  char* const block = out + kFrameHead;
  for (std::size_t piece = pieces; piece-- > 0;) {
    const std::size_t from = piece * frames.largest;
    const std::size_t length = std::min<std::size_t>(size - from, frames.largest);
    char* const head = out + from + piece * kFrameHead;
    if (piece > 0) std::memmove(head + kFrameHead, block + from, length);
    std::uint8_t flags = piece + 1 == pieces ? flag::end_headers : 0;
    if (piece == 0 && frames.end_stream) flags |= flag::end_stream;
    write_frame_head({static_cast<std::uint32_t>(length), piece == 0 ? FrameType::headers : FrameType::continuation,
                      flags, frames.stream},
                     head);
  }
  return size + pieces * kFrameHead;
}

std::size_t finish_frames(const HeadersFrames& frames, const char* end, char* out) {
  return frame_block(frames, static_cast<std::size_t>(end - out) - kFrameHead, out);
}

char* begin_block(const HeadersFrames& frames, char* out) {
  out += kFrameHead;
  if (frames.empty_table) *out++ = kEmptyTable;
  return out;
}

}  // namespace

// Beside its name and value a field has four bytes of text, and in a block at most three. Only lengths of 127 and more
// take more bytes, up to five more for a field.
std::size_t headers_bound(std::size_t text) {
  const std::size_t block = text + text / 16 + kStatusBound + field_bound(0, 0);
  return block + (block / kFrameSize + 1) * kFrameHead;
}

std::size_t write_head_frames(const HeadersFrames& frames, std::string_view text, char* out) {
  const std::string_view line = take_line(text);
  constexpr std::size_t kStatusAt = 9;  // behind "HTTP/1.1 "
  const int status = (line[kStatusAt] - '0') * 100 + (line[kStatusAt + 1] - '0') * 10 + (line[kStatusAt + 2] - '0');
  return finish_frames(frames, encode_lines(text, encode_status(status, begin_block(frames, out))), out);
}

std::size_t write_trailer_frames(const HeadersFrames& frames, std::string_view text, char* out) {
  return finish_frames(frames, encode_lines(text, begin_block(frames, out)), out);
}

}  // namespace gray::h2
