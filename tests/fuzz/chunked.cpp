// The chunked decoder: however a body is cut, the same payload, the same end, the same refusal; and the same as a
// second decoder says, which is written from RFC 9112 7.1 and our bounds alone.
#include <algorithm>
#include <optional>
#include <string>

#include "router/http/characters.hpp"
#include "router/wire/body.hpp"
#include "router/wire/trailers.hpp"
#include "tests/fuzz/property.hpp"

using namespace gray::http;
using namespace gray::fuzz;

namespace {

struct Outcome {
  BodyDecoder::Result result = BodyDecoder::Result::more;
  std::string payload;
  std::string trailers;  // with their empty line; not said of a refusal, as the next one
  std::size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

/// In pieces; `room` is for chunks that are gathered.
Outcome decode(std::string_view input, Choices& choices, std::size_t largest_piece, std::size_t room = 0) {
  BodyDecoder decoder(Framing{Framing::Kind::chunked, 0});
  Outcome outcome;
  Exact gathered(room);
  std::size_t at = 0;
  while (at < input.size() && outcome.result != BodyDecoder::Result::end) {
    std::string_view left = input.substr(at, 1 + choices.below(largest_piece));
    const Exact piece(largest_piece > 1 ? left : std::string_view());
    if (largest_piece > 1) left = piece.view();
    do {
      const BodyDecoder::Step step = room == 0 ? decoder.feed(left) : decoder.feed(left, {gathered.data(), room});
      must(step.consumed <= left.size(), "no more is consumed than there is");
      must((step.result == BodyDecoder::Result::data) == !step.payload.empty(), "payload is what data steps bring");
      must(step.result != BodyDecoder::Result::more || step.consumed == left.size(), "more means all was used");
      outcome.result = step.result;
      outcome.payload += step.payload;
      outcome.trailers += step.trailers;
      at += step.consumed;
      left.remove_prefix(step.consumed);
    } while (!left.empty() && outcome.result == BodyDecoder::Result::data);
    if (outcome.result == BodyDecoder::Result::data) outcome.result = BodyDecoder::Result::more;
    if (outcome.result == BodyDecoder::Result::fault) {
      must(decoder.fault().status == 400 && decoder.fault().offset == at, "a fault is where the decoder stopped");
      must(decoder.feed("0\r\n\r\n").result == BodyDecoder::Result::fault, "what was refused stays refused");
      outcome.trailers.clear();
      return outcome;
    }
  }
  must(decoder.payload_bytes() == outcome.payload.size(), "the payload is counted");
  must(decoder.done() == (outcome.result == BodyDecoder::Result::end), "the end is known");
  outcome.consumed = at;
  return outcome;
}

/// Reads the whole at once, line by line.
class Reference {
 public:
  explicit Reference(std::string_view input) : input_(input), text_(input) {}

  /// True: accepted, false: refused, nothing: a line is not all there (what there is of it may be wrong already).
  std::optional<bool> read() {
    for (;;) {
      const std::optional<std::string_view> line = take_line();
      if (!line) return is_broken_line() ? std::optional(false) : std::nullopt;
      std::uint64_t size = 0;
      if (!read_chunk_line(*line, size)) return false;
      if (size == 0) return read_trailers();
      const std::string_view data = text_.substr(0, std::min<std::uint64_t>(size, text_.size()));
      payload += data;
      text_.remove_prefix(data.size());
      if (data.size() < size || text_.empty() || text_ == "\r") return std::nullopt;
      if (!text_.starts_with("\r\n")) return false;
      text_.remove_prefix(2);
    }
  }
  std::size_t consumed() const { return input_.size() - text_.size(); }
  std::string payload, trailers;

 private:
  // Up to CRLF; nothing if there is none yet, or if another control byte comes first.
  std::optional<std::string_view> take_line() {
    const std::size_t end = text_.find("\r\n");
    if (end == std::string_view::npos || !is_line(text_.substr(0, end))) return std::nullopt;
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end + 2);
    return line;
  }
  static bool is_line(std::string_view line) { return std::all_of(line.begin(), line.end(), is_text); }
  bool is_broken_line() const {
    const bool open_end = text_.ends_with('\r') && text_.find("\r\n") == std::string_view::npos;
    return !is_line(open_end ? text_.substr(0, text_.size() - 1) : text_.substr(0, text_.find("\r\n")));
  }

  bool read_chunk_line(std::string_view line, std::uint64_t& size) {
    const std::size_t digits = std::min(line.find(';'), line.size());
    const std::size_t zeros = std::min(line.find_first_not_of('0'), digits);
    if (digits == 0 || zeros > kMaxChunkZeros || digits - zeros > kMaxChunkDigits) return false;
    for (const char c : line.substr(0, digits)) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(to_lower(c));
      if (digit == std::string_view::npos) return false;
      size = size << 4 | digit;
    }
    extensions_ += line.size() - digits;
    return extensions_ <= kMaxChunkExtensions && are_extensions(line.substr(digits));
  }

  // *( ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ); a blank behind the last one is refused.
  static bool are_extensions(std::string_view text) {
    while (!text.empty()) {
      if (text.front() != ';') return false;
      text.remove_prefix(1);
      skip_blanks(text);
      if (!skip_some_token(text)) return false;
      if (text.empty()) return true;
      skip_blanks(text);
      if (text.empty()) return false;
      if (text.front() == '=' && !skip_value(text)) return false;
    }
    return true;
  }
  static bool skip_value(std::string_view& text) {
    text.remove_prefix(1);
    skip_blanks(text);
    if (!(text.starts_with('"') ? skip_quoted(text) : skip_some_token(text))) return false;
    if (text.empty()) return true;
    skip_blanks(text);
    return !text.empty();
  }
  static bool skip_quoted(std::string_view& text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        text.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }
  static void skip_blanks(std::string_view& text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  }
  static bool skip_some_token(std::string_view& text) {
    std::size_t size = 0;
    while (size < text.size() && is_token(text[size])) ++size;
    text.remove_prefix(size);
    return size > 0;
  }

  std::optional<bool> read_trailers() {
    std::size_t bytes = 1;  // the LF before them counts
    for (;;) {
      const std::optional<std::string_view> line = take_line();
      if (!line) return is_broken_line() ? std::optional(false) : std::nullopt;
      trailers.append(*line).append("\r\n");
      if (line->empty()) return true;
      bytes += line->size() + 2;
      const std::size_t colon = line->find(':');
      if (bytes > kMaxTrailers || colon == std::string_view::npos || colon == 0) return false;
      if (!std::all_of(line->begin(), line->begin() + colon, is_token)) return false;
    }
  }

  std::string_view input_, text_;  // all, and what is still to be read
  std::size_t extensions_ = 0;
};

void check_against_reference(std::string_view input, const Outcome& outcome) {
  Reference reference(input);
  const std::optional<bool> accepted = reference.read();
  using Result = BodyDecoder::Result;
  must((accepted == true) == (outcome.result == Result::end), "both decoders accept the same");
  if (accepted == false) must(outcome.result == Result::fault, "both decoders refuse the same");
  if (accepted == true) must(reference.consumed() == outcome.consumed, "both decoders see the same end");
  if (accepted == true) must(reference.trailers == outcome.trailers, "both decoders see the same trailers");
  must(reference.payload == outcome.payload, "both decoders see the same payload");
}

// What goes on of trailers is trailers, all of them harmless, and goes on as it is when it comes again (P21).
void check_trailers(std::string_view section, Choices& choices) {
  Exact out(trailers_bound(section.size()));
  const std::string written(out.view().substr(0, write_trailers(section, out.data())));
  // A blank behind each colon may carry it beyond what the next hop takes, for whom the LF before the section counts.
  if (1 + written.size() > kMaxTrailers) return;
  const std::string body = "0\r\n" + written + "\r\n";
  const Outcome outcome = decode(body, choices, body.size());
  must(outcome == Outcome{BodyDecoder::Result::end, "", written + "\r\n", body.size()}, "what goes on is trailers");
  for (std::string_view rest = written; !rest.empty(); rest.remove_prefix(rest.find("\r\n") + 2)) {
    must(is_harmless_trailer(rest.substr(0, rest.find(':'))), "what goes on is harmless");
  }
  Exact again(trailers_bound(written.size()));
  must(again.view().substr(0, write_trailers(written, again.data())) == written, "what goes on once goes on twice");
}

void check_round_trip(std::string_view payload, Choices& choices) {
  std::string encoded;
  for (std::size_t at = 0; at < payload.size();) {
    const std::string_view chunk = payload.substr(at, 1 + choices.below(300));
    char line[18];
    encoded.append(line, write_chunk_head(chunk.size(), line)).append(chunk).append("\r\n");
    at += chunk.size();
  }
  encoded += kLastChunk;
  const Outcome outcome = decode(encoded + "behind", choices, encoded.size());
  must(outcome == Outcome{BodyDecoder::Result::end, std::string(payload), "\r\n", encoded.size()},
       "what was encoded is decoded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Choices choices(input);
  const Outcome whole = decode(input, choices, 1);
  for (const std::size_t largest : {std::size_t{7}, std::size_t{300}, input.size() + 1}) {
    must(decode(input, choices, largest) == whole, "it does not matter how a body is cut");
    const std::size_t room = 1 + choices.below(40);
    must(decode(input, choices, largest, room) == whole, "it does not matter what is gathered");
  }
  check_against_reference(input, whole);
  if (whole.result == BodyDecoder::Result::end) check_trailers(whole.trailers, choices);
  check_round_trip(input, choices);
  return 0;
}
