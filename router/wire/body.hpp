#pragma once
// Body decoders: bytes in, payload spans out, for the three framings of RFC 9112 6 and 7. A decoder is a small value,
// holds no bytes, and can be fed in pieces of any size. Payload comes in spans as large as the input allows, so that a
// body costs nothing per byte. The lines around chunks are read byte by byte (chunk_grammar.hpp), except between small
// chunks of one input: they are gathered, so that a body in chunks of a few bytes costs a few instructions for each.
// The chunked grammar is strict: CRLF only, 1*16 HEXDIG, extensions bounded and dropped, trailers bounded, checked and
// handed out as they came.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "router/wire/chunk_grammar.hpp"
#include "router/wire/framing.hpp"
#include "router/wire/head.hpp"

namespace gray::http {

inline constexpr std::size_t kMaxChunkExtensions = 4096;  // bytes in all, of one message
inline constexpr std::size_t kMaxTrailers = 8192;         // bytes in all, of one message
inline constexpr std::size_t kMaxChunkDigits = 16;        // of one size, without leading zeros
inline constexpr std::size_t kMaxChunkZeros = 256;        // leading ones of one size
inline constexpr std::size_t kGatherRoom = 2048;          // bytes; what is gathered at once
inline constexpr std::size_t kMaxFramedRead = 32 * 1024;  // bytes; of a body in small chunks

class BodyDecoder {
 public:
  enum class Result : std::uint8_t { data, more, end, fault };
  struct Step {
    Result result = Result::more;
    std::size_t consumed = 0;   // bytes of the input that this step used
    std::string_view payload;   // `data`: a non-empty view into the input, or into the room
    std::string_view trailers;  // `more`, `end`: the trailer section within the input, its empty line included
  };

  BodyDecoder() = default;  // of a message without body: done at once
  explicit BodyDecoder(Framing framing);

  /// Consumes a piece of `input` and returns its kind; call again with the rest until `more`, `end` or `fault`.
  /// Bytes behind the end of the message are never consumed. After `end` or `fault` every further step is the same.
  Step feed(std::string_view input);
  /// The same, but small chunks that are complete in `input` become one payload, as far as they fit into `room`.
  Step feed(std::string_view input, std::span<char> room);
  /// The connection ended: true if that is a proper end of this message (until_close, or already done); otherwise
  /// fault() says so (P27).
  bool finish();

  bool done() const { return state_ == BodyState::done; }
  Framing framing() const { return framing_; }
  const Fault& fault() const { return fault_; }      // after Result::fault; offset is within the body as received
  std::uint64_t received() const { return taken_; }  // bytes of the body as it came, framing included
  std::uint64_t payload_bytes() const { return payload_; }
  /// How many bytes to read for a sink that takes `room` bytes of payload: more where lines around small chunks were
  /// most of the body so far, but at most kMaxFramedRead for it.
  std::size_t read_for(std::size_t room) const;
  /// Payload bytes that are still to come; nothing: unknown.
  std::optional<std::uint64_t> rest() const;

 private:
  std::string_view trailers_in(std::string_view input, std::size_t used) const;
  Step take_payload(std::string_view input, std::size_t from);
  void gather(std::string_view input, std::span<char> room, Step& step);
  bool step_line(char byte);
  bool within_bounds();
  bool refuse(const char* rule, const char* text);

  Framing framing_;
  BodyState state_ = BodyState::done;
  std::uint64_t left_ = 0;         // payload bytes of the chunk or message still to come
  std::uint64_t payload_ = 0;      // payload bytes seen
  std::uint64_t trailers_at_ = 0;  // bytes before the trailer section; 0: it has not begun
  std::uint64_t taken_ = 0;        // bytes consumed in all
  std::uint32_t digits_ = 0, zeros_ = 0, extension_bytes_ = 0, trailer_bytes_ = 0;
  Fault fault_;
};

/// "HEX CRLF" in front of a chunk of `size` bytes; returns its length. A chunk ends with CRLF.
std::size_t write_chunk_head(std::size_t size, char* out);
inline constexpr std::size_t kMaxChunkHead = 18;
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace gray::http
