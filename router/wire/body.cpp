#include "router/wire/body.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "router/http/characters.hpp"

namespace gray::http {

namespace {

// Of a hexadecimal digit: the letters follow 0x40 and 0x60, the digits 0x30.
std::uint64_t hex_value(char c) {
  const std::uint64_t code = static_cast<unsigned char>(c);
  return (code & 0xf) + 9 * (code >> 6);
}

struct SizeLine {
  std::size_t length = 0;  // 0: another kind of line, or not all there
  std::size_t size = 0;
};

bool is_crlf(const char* at) { return std::memcmp(at, "\r\n", 2) == 0; }

// The usual line between two chunks, "CRLF HEX CRLF": a few digits, no extension, not the last chunk. Any other is read
// byte by byte.
SizeLine usual_line(std::string_view text) {
  constexpr std::size_t kDigits = 4, kAround = 4;
  if (text.size() < kAround + kDigits || !is_crlf(text.data())) return {};
  std::size_t at = 2, size = 0;
  for (; at < 2 + kDigits && is_hex(text[at]); ++at) size = size * 16 + hex_value(text[at]);
  if (size == 0 || !is_crlf(text.data() + at)) return {};
  return {at + 2, size};
}

struct Gathered {
  std::size_t read = 0, written = 0;
};

// Chunks whose size is one digit: only for these do the lines cost more than the payload. The bytes of the largest one
// are copied for each, so that there is no call.
Gathered gather_tiny(std::string_view from, std::span<char> to) {
  constexpr std::ptrdiff_t kCopied = 16, kLine = 5;
  const char* in = from.data();
  const char* const in_end = in + from.size();
  char* out = to.data();
  char* const out_end = out + to.size();
  while (in_end - in >= kLine + kCopied && out_end - out >= kCopied && is_crlf(in) && is_crlf(in + 3) &&
         is_hex(in[2])) {
    const std::uint64_t size = hex_value(in[2]);
    if (size == 0) break;
    std::memcpy(out, in + kLine, kCopied);
    out += size;
    in += kLine + size;
  }
  return {static_cast<std::size_t>(in - from.data()), static_cast<std::size_t>(out - to.data())};
}

}  // namespace

BodyDecoder::BodyDecoder(Framing framing) : framing_(framing) {
  switch (framing.kind) {
    case Framing::Kind::none: return;
    case Framing::Kind::length:
      left_ = framing.length;
      state_ = left_ == 0 ? BodyState::done : BodyState::data;
      return;
    case Framing::Kind::chunked: state_ = BodyState::size; return;
    case Framing::Kind::until_close:
      left_ = std::numeric_limits<std::uint64_t>::max();  // never used up: only finish() ends it
      state_ = BodyState::data;
      return;
  }
}

BodyDecoder::Step BodyDecoder::feed(std::string_view input) {
  std::size_t used = 0;
  while (state_ != BodyState::done && state_ != BodyState::failed) {
    if (used == input.size()) return {Result::more, used, {}, trailers_in(input, used)};
    if (state_ == BodyState::data) return take_payload(input, used);
    if (!step_line(input[used])) break;
    ++used;
    ++taken_;
  }
  if (state_ == BodyState::failed) return {Result::fault, used, {}, {}};
  return {Result::end, used, {}, trailers_in(input, used)};
}

BodyDecoder::Step BodyDecoder::feed(std::string_view input, std::span<char> room) {
  Step step = feed(input);
  if (step.result == Result::data && state_ == BodyState::data_cr) gather(input, room, step);
  return step;
}

// The state stays what it is behind each chunk: what does not fit or is not usual is left to the next step.
void BodyDecoder::gather(std::string_view input, std::span<char> room, Step& step) {
  const std::size_t before = step.consumed;
  std::size_t size = step.payload.size();
  if (size > room.size()) return;
  while (true) {
    const std::string_view rest = input.substr(step.consumed);
    const SizeLine line = usual_line(rest);
    if (line.length == 0 || line.size > room.size() - size || line.size > rest.size() - line.length) break;
    if (step.consumed == before) std::memcpy(room.data(), step.payload.data(), size);
    std::memcpy(room.data() + size, rest.data() + line.length, line.size);
    size += line.size;
    step.consumed += line.length + line.size;
    const Gathered tiny = gather_tiny(input.substr(step.consumed), room.subspan(size));
    size += tiny.written;
    step.consumed += tiny.read;
  }
  if (step.consumed == before) return;
  payload_ += size - step.payload.size();
  taken_ += step.consumed - before;
  step.payload = {room.data(), size};
}

std::size_t BodyDecoder::read_for(std::size_t room) const {
  if (taken_ <= payload_ || payload_ == 0 || room >= kMaxFramedRead) return room;
  const double parts = static_cast<double>(taken_) / static_cast<double>(payload_);
  return static_cast<std::size_t>(std::min(static_cast<double>(room) * parts, double{kMaxFramedRead}));
}

std::string_view BodyDecoder::trailers_in(std::string_view input, std::size_t used) const {
  if (trailers_at_ == 0) return {};
  const std::uint64_t before = taken_ - used;  // bytes of earlier pieces
  const auto from = static_cast<std::size_t>(trailers_at_ > before ? trailers_at_ - before : 0);
  return input.substr(from, used - from);
}

BodyDecoder::Step BodyDecoder::take_payload(std::string_view input, std::size_t from) {
  const std::string_view payload = input.substr(from, std::min<std::uint64_t>(left_, input.size() - from));
  left_ -= payload.size();
  payload_ += payload.size();
  taken_ += payload.size();
  if (left_ == 0) state_ = framing_.kind == Framing::Kind::chunked ? BodyState::data_cr : BodyState::done;
  return {Result::data, from + payload.size(), payload, {}};
}

// One byte of the lines around chunks; false if it is refused.
bool BodyDecoder::step_line(char byte) {
  const BodyState next = next_body_state(state_, byte);
  if (next == BodyState::failed) {
    const bool behind_cr = state_ == BodyState::size_lf || state_ == BodyState::data_lf ||
                           state_ == BodyState::trailer_lf || state_ == BodyState::end_lf;
    if (behind_cr || byte == '\n') return refuse("P12", "bare CR or LF in a chunked body");
    return is_trailer(state_) ? refuse("P21", "malformed trailer") : refuse("P20", "malformed chunk");
  }
  if (next == BodyState::size_digits) {
    left_ = left_ * 16 + hex_value(byte);
    ++(digits_ > 0 || byte != '0' ? digits_ : zeros_);
  }
  const bool last_chunk = next == BodyState::data && left_ == 0;
  state_ = last_chunk ? BodyState::trailer_start : next;
  if (last_chunk) trailers_at_ = taken_ + 1;
  if (state_ == BodyState::data) digits_ = zeros_ = 0;
  return within_bounds();
}

bool BodyDecoder::within_bounds() {
  if (digits_ > kMaxChunkDigits || zeros_ > kMaxChunkZeros) return refuse("P20", "chunk size too large");
  if (is_extension(state_) && ++extension_bytes_ > kMaxChunkExtensions) {
    return refuse("P20", "chunk extensions too large");
  }
  if (is_trailer(state_) && ++trailer_bytes_ > kMaxTrailers) return refuse("P21", "trailers too large");
  return true;
}

bool BodyDecoder::refuse(const char* rule, const char* text) {
  fault_ = {400, rule, text, static_cast<std::size_t>(taken_)};
  state_ = BodyState::failed;
  return false;
}

std::optional<std::uint64_t> BodyDecoder::rest() const {
  if (done()) return 0;
  if (framing_.kind != Framing::Kind::length) return std::nullopt;
  return left_;
}

bool BodyDecoder::finish() {
  if (framing_.kind == Framing::Kind::until_close) state_ = BodyState::done;
  if (state_ == BodyState::done || state_ == BodyState::failed) return state_ == BodyState::done;
  return refuse("P27", "the connection ended inside the body");
}

std::size_t write_chunk_head(std::size_t size, char* out) {
  constexpr std::size_t kDigits = 16;
  char* end = std::to_chars(out, out + kDigits, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return static_cast<std::size_t>(end - out);
}

}  // namespace gray::http
