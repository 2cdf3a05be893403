// Response heads: the status line, then the fields, then what they mean together. A fault here is always a 502 to the
// client.
#include "router/http/characters.hpp"
#include "router/wire/head.hpp"
#include "router/wire/head_reader.hpp"

namespace gray::http {

namespace {

constexpr std::string_view kVersion = "HTTP/1.";
constexpr std::size_t kShortest = 12;  // "HTTP/1.1 200": some servers leave out the space behind the status

bool is_status_line(std::string_view line) {
  return line.size() >= kShortest && line.starts_with(kVersion) && is_digit(line[7]) && line[8] == ' ' &&
         line[9] >= '1' && line[9] <= '5' && is_digit(line[10]) && is_digit(line[11]) &&
         (line.size() == kShortest || line[kShortest] == ' ');
}

Parse read_status_line(HeadReader& reader, ResponseHead& head) {
  const char* from = reader.at;
  const char* stop = skip_text(from, reader.end);
  if (const Parse ended = end_line(reader, stop); ended != Parse::complete) return ended;
  const std::string_view line{from, static_cast<std::size_t>(stop - from)};
  if (!is_status_line(line)) return reader.refuse(from, 502, "P9", "malformed status line");
  head.version = line[7] == '0' ? Version::http10 : Version::http11;
  head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  head.reason = line.size() == kShortest ? std::string_view{} : line.substr(kShortest + 1);
  return Parse::complete;
}

Parse settle(HeadReader& reader, Noted& noted, Method to, ResponseHead& head) {
  noted.framing.minor = head.version == Version::http10 ? 0 : 1;
  const FramingResult result = frame_response(noted.framing, head.status, to == Method::head, to == Method::connect);
  if (result.status != 0) return reader.refuse(reader.at, result.status, result.rule, result.text);
  head.framing = result.framing;
  head.body = body_of(head.framing);
  head.keep_alive = is_persistent(noted, head.version) && head.framing.kind != Framing::Kind::until_close;
  head.size = static_cast<std::size_t>(reader.at - reader.begin);
  head.bytes = {reader.begin, head.size};
  return Parse::complete;
}

Parse read_response(HeadReader& reader, const HeadLimits& limits, Method to, ResponseHead& head) {
  Noted noted;
  if (const Parse line = read_status_line(reader, head); line != Parse::complete) return line;
  if (const Parse read = read_fields(reader, limits.fields, head.fields, noted); read != Parse::complete) return read;
  return settle(reader, noted, to, head);
}

}  // namespace

Parse parse_response(std::string_view bytes, const HeadLimits& limits, Method to, ResponseHead& head, Fault& fault) {
  HeadReader reader(bytes.substr(0, limits.bytes), fault);
  Parse result = read_response(reader, limits, to, head);
  if (result == Parse::incomplete && bytes.size() >= limits.bytes) {
    result = reader.refuse(reader.end, 502, "P8", "response head too large");
  }
  if (result == Parse::fault) fault.status = 502;
  return result;
}

}  // namespace gray::http
