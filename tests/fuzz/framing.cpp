// Framing: the same as a second reading of RFC 9112 6.3 and of our rules P15 to P18 says.
//
// An input is lines: "1.0" or "1.1", then "C:value" for a Content-Length, "T:value" for a Transfer-Encoding, "S:digits"
// for the status of a response, "M:HEAD" or "M:CONNECT" for what it answers.
#include "router/wire/framing.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "router/http/characters.hpp"
#include "tests/fuzz/property.hpp"

using namespace gray::http;
using namespace gray::fuzz;

namespace {

struct Message {
  FramingFields fields;
  int status = 200;
  bool head = false, connect = false;
};

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Message read_message(std::string_view input) {
  Message message;
  for (const std::string_view line : split(input, '\n')) {
    const std::string_view value = trim_blanks(line.substr(std::min<std::size_t>(2, line.size())));
    if (line == "1.0") message.fields.minor = 0;
    if (line.starts_with("C:")) ++message.fields.content_lengths, message.fields.content_length = value;
    if (line.starts_with("T:")) ++message.fields.transfer_encodings, message.fields.transfer_encoding = value;
    if (line.starts_with("S:")) message.status = 100 + std::atoi(std::string(value.substr(0, 4)).c_str()) % 500;
    if (line == "M:HEAD") message.head = true;
    if (line == "M:CONNECT") message.connect = true;
  }
  message.status = std::clamp(message.status, 100, 599);
  return message;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return result;
}

/// Digits only, compared as text with the largest number there is.
bool is_length(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  constexpr std::string_view kLargest = "18446744073709551615";
  return text.size() < kLargest.size() || (text.size() == kLargest.size() && text <= kLargest);
}

/// 0 for exactly chunked; 501 for a list of codings that somebody may know, chunked at its end or nowhere, and not too
/// long; else 400.
int status_of_coding(std::string_view value) {
  if (lower(value) == "chunked") return 0;
  const std::vector<std::string_view> members = split(value, ',');
  if (members.size() > kMaxListMembers) return 400;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::string coding = lower(trim_blanks(members[i]));
    if (coding.empty() || !std::all_of(coding.begin(), coding.end(), is_token)) return 400;
    if (coding == "identity" || (coding == "chunked" && i + 1 < members.size())) return 400;
  }
  return 501;
}

struct Expected {
  int status = 0;
  Framing framing;
};

Expected frame(const FramingFields& fields, Framing::Kind without) {
  if (fields.transfer_encodings + fields.content_lengths == 0) return {0, {without, 0}};
  if (fields.transfer_encodings > 0) {
    if (fields.minor == 0 || fields.content_lengths > 0 || fields.transfer_encodings > 1) return {400, {}};
    const int status = status_of_coding(fields.transfer_encoding);
    return {status, {status == 0 ? Framing::Kind::chunked : Framing::Kind::none, 0}};
  }
  if (fields.content_lengths > 1 || !is_length(fields.content_length)) return {400, {}};
  return {0, {Framing::Kind::length, std::strtoull(std::string(fields.content_length).c_str(), nullptr, 10)}};
}

void check(const FramingResult& result, const Expected& expected) {
  must(result.status == expected.status, "both readings refuse alike");
  must((result.status == 0) == std::string_view(result.rule).empty(), "a refusal names its rule");
  must(result.framing == expected.framing, "both readings frame alike");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Message message = read_message({reinterpret_cast<const char*>(data), size});
  check(frame_request(message.fields), frame(message.fields, Framing::Kind::none));

  Expected response = frame(message.fields, Framing::Kind::until_close);
  if (response.status != 0) {
    response = {502, {}};
  } else if (message.head || message.status < 200 || message.status == 204 || message.status == 304 ||
             (message.connect && message.status < 300)) {
    response.framing = {};
  }
  check(frame_response(message.fields, message.status, message.head, message.connect), response);
  return 0;
}
