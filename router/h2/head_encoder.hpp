#pragma once
// Turns heads and trailer sections, as the HTTP/1.1 writers of router/wire make them, into HEADERS and CONTINUATION
// frames. So what an answer has in HTTP/1.1 it has in HTTP/2: the same fields in the same order, without the status
// line and without the fields that belong to a connection (RFC 9113 8.2.2).
//
// Pure, no allocation: the caller measures the text with the writers' own bounds, and gives room for the frames.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gray::h2 {

/// The most bytes of frames for a text of this size.
std::size_t headers_bound(std::size_t text);

struct HeadersFrames {
  std::uint32_t stream = 0;
  bool end_stream = false;
  bool empty_table = false;       // the block begins with a size update to 0
  std::uint32_t largest = 16384;  // the payload that the peer accepts
};

/// `text`: a response head with its status line and empty line. Returns the number of bytes written. The text may not
/// overlap the output.
std::size_t write_head_frames(const HeadersFrames& frames, std::string_view text, char* out);
/// `text`: lines of fields, each with its CRLF; an empty line ends it, or its end.
std::size_t write_trailer_frames(const HeadersFrames& frames, std::string_view text, char* out);

}  // namespace gray::h2
