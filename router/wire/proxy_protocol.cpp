#include "router/wire/proxy_protocol.hpp"

#include <algorithm>
#include <charconv>

#include "router/http/characters.hpp"

namespace gray::http {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kLineStart = "PROXY ";
constexpr std::string_view kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixedPart = 16;  // bytes of a version 2 header before its addresses

Parse refuse(Fault& fault, const char* text, std::size_t offset) {
  fault = {400, "PROXY", text, offset};
  return Parse::fault;
}

// ---- version 1

/// The text before the next space, which is taken too.
std::string_view take_word(std::string_view& rest) {
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  return word;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  if (text.empty() || !is_digit(text.front()) || (text.front() == '0' && text.size() > 1)) return std::nullopt;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

/// `line` without its CRLF.
Parse parse_line(std::string_view line, ProxyHeader& header, Fault& fault) {
  std::string_view rest = line.substr(kLineStart.size());
  const auto at = [&line](std::string_view word) { return static_cast<std::size_t>(word.data() - line.data()); };
  const std::string_view family = take_word(rest);
  std::optional<Address> source;
  if (family != "UNKNOWN") {  // any text may follow UNKNOWN
    if (family != "TCP4" && family != "TCP6") return refuse(fault, "neither TCP4, TCP6 nor UNKNOWN", at(family));
    const Address::Kind kind = family == "TCP4" ? Address::Kind::ipv4 : Address::Kind::ipv6;
    const std::string_view from = take_word(rest), to = take_word(rest), from_port = take_word(rest), to_port = rest;
    source = parse_ip(from);
    if (!source || source->kind != kind) return refuse(fault, "the source is not an address of this family", at(from));
    const auto destination = parse_ip(to);
    if (!destination || destination->kind != kind)
      return refuse(fault, "the destination is not an address of this family", at(to));
    const auto port = parse_port(from_port);
    if (!port) return refuse(fault, "the source port is not a number from 0 to 65535", at(from_port));
    if (!parse_port(to_port)) return refuse(fault, "the destination port is not a number from 0 to 65535", at(to_port));
    source->port = *port;
  }
  header = {line.size() + 2, std::move(source)};
  return Parse::complete;
}

Parse parse_version_1(std::string_view bytes, ProxyHeader& header, Fault& fault) {
  const std::string_view room = bytes.substr(0, kMaxProxyLine);
  const auto visible = [](char c) { return c >= ' ' && c <= '~'; };
  const auto end = static_cast<std::size_t>(std::find_if_not(room.begin(), room.end(), visible) - room.begin());
  if (end < room.size() && room[end] != '\r') return refuse(fault, "a byte that is not visible ASCII", end);
  if (end + 1 < room.size() && room[end + 1] != '\n') return refuse(fault, "CR without LF", end + 1);
  if (end + 1 < room.size()) return parse_line(room.substr(0, end), header, fault);
  if (room.size() == kMaxProxyLine) return refuse(fault, "the line is longer than 107 bytes", kMaxProxyLine);
  return Parse::incomplete;
}

// ---- version 2

std::size_t two_bytes(std::string_view at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(at[0])) << 8 | static_cast<unsigned char>(at[1]);
}

struct Family {
  unsigned char code;  // address family and transport
  std::size_t bytes;   // of both addresses and ports
  bool tcp;
};

constexpr Family kFamilies[] = {
    {0x00, 0, false},                        // unspecified: the rest is ignored
    {0x11, 12, true},                        // IPv4, stream
    {0x12, 12, false},                       // IPv4, datagram
    {0x21, 36, true},                        // IPv6, stream
    {0x22, 36, false},                       // IPv6, datagram
    {0x31, 216, false}, {0x32, 216, false},  // unix
};

Address source_of(const Family& family, std::string_view addresses) {
  const std::size_t ip = (family.bytes - 4) / 2;  // source, destination, two ports
  Address source;
  source.kind = ip == 4 ? Address::Kind::ipv4 : Address::Kind::ipv6;
  std::transform(addresses.begin(), addresses.begin() + static_cast<std::ptrdiff_t>(ip), source.ip.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  source.port = static_cast<std::uint16_t>(two_bytes(addresses.substr(2 * ip)));
  return source;
}

/// Extensions are skipped, but each must be complete: type, length in two bytes, value. Returns the offset of the first
/// one that is not.
std::optional<std::size_t> broken_extension(std::string_view bytes, std::size_t at) {
  while (at < bytes.size()) {
    if (bytes.size() - at < 3 || bytes.size() - at - 3 < two_bytes(bytes.substr(at + 1))) return at;
    at += 3 + two_bytes(bytes.substr(at + 1));
  }
  return std::nullopt;
}

Parse parse_version_2(std::string_view bytes, ProxyHeader& header, Fault& fault) {
  const std::size_t at = kSignature.size();  // version and command, family, length
  if (bytes.size() <= at) return Parse::incomplete;
  if (bytes[at] != 0x20 && bytes[at] != 0x21) return refuse(fault, "not version 2 with command LOCAL or PROXY", at);
  const bool local = bytes[at] == 0x20;
  if (bytes.size() <= at + 1) return Parse::incomplete;
  const auto family = std::find_if(std::begin(kFamilies), std::end(kFamilies), [&](const Family& one) {
    return one.code == static_cast<unsigned char>(bytes[at + 1]);
  });
  if (family == std::end(kFamilies)) return refuse(fault, "an unknown address family", at + 1);
  if (bytes.size() < kFixedPart) return Parse::incomplete;
  const std::size_t length = kFixedPart + two_bytes(bytes.substr(at + 2));
  if (length > kMaxProxyHeader) return refuse(fault, "the header is longer than 2048 bytes", at + 2);
  const bool named = !local && family->bytes > 0;
  if (named && length < kFixedPart + family->bytes) return refuse(fault, "too short for its addresses", at + 2);
  if (bytes.size() < length) return Parse::incomplete;
  if (named) {
    if (const auto broken = broken_extension(bytes.substr(0, length), kFixedPart + family->bytes))
      return refuse(fault, "an extension goes beyond the header", *broken);
  }
  header = {length, std::nullopt};
  if (named && family->tcp) header.source = source_of(*family, bytes.substr(kFixedPart));
  return Parse::complete;
}

}  // namespace

Parse parse_proxy_header(std::string_view bytes, ProxyHeader& header, Fault& fault) {
  const bool binary = bytes.starts_with(kSignature.front());
  const std::string_view start = binary ? kSignature : kLineStart;
  const std::string_view begun = bytes.substr(0, start.size());
  const auto wrong = std::mismatch(begun.begin(), begun.end(), start.begin()).first;
  if (wrong != begun.end())
    return refuse(fault, "the connection does not begin with a PROXY header",
                  static_cast<std::size_t>(wrong - begun.begin()));
  if (begun.size() < start.size()) return Parse::incomplete;
  return binary ? parse_version_2(bytes, header, fault) : parse_version_1(bytes, header, fault);
}

}  // namespace gray::http
