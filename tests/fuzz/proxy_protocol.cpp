// The PROXY protocol's header: it does not matter how it arrived, both versions say what a second reading of them says,
// and what is written by the book is read back.
#include "router/wire/proxy_protocol.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "tests/fuzz/arrival.hpp"

using namespace gray;
using namespace gray::http;
using namespace gray::fuzz;

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;

/// What a header says: its length and the client's address, or nothing where the reading refuses it or needs more.
struct Said {
  std::size_t length = 0;
  std::optional<Address> source;
  bool operator==(const Said&) const = default;
};

std::optional<Address> read_ip(std::string_view text, Address::Kind kind) {
  Address address;
  address.kind = kind;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const int family = kind == Address::Kind::ipv4 ? AF_INET : AF_INET6;
  return inet_pton(family, std::string(text).c_str(), address.ip.data()) == 1 ? std::optional(address) : std::nullopt;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  const bool digits = !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == text.npos;
  const int port = digits ? std::atoi(std::string(text).c_str()) : -1;
  if (port < 0 || port > 65535 || std::to_string(port) != text) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

std::optional<Said> read_words(std::string_view input) {
  const std::size_t end = input.substr(0, kMaxProxyLine).find("\r\n");
  if (!input.starts_with("PROXY ") || end == input.npos) return std::nullopt;
  const std::string_view line = input.substr(0, end);
  if (!std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) return std::nullopt;
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at <= line.size(); at += words.back().size() + 1) {
    words.push_back(line.substr(at, line.substr(at).find(' ')));
  }
  if (words[1] == "UNKNOWN") return Said{end + 2, std::nullopt};
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return std::nullopt;
  const Address::Kind kind = words[1] == "TCP4" ? Address::Kind::ipv4 : Address::Kind::ipv6;
  std::optional<Address> source = read_ip(words[2], kind);
  const auto port = read_port(words[4]);
  if (!source || !read_ip(words[3], kind) || !port || !read_port(words[5])) return std::nullopt;
  source->port = *port;
  return Said{end + 2, source};
}

std::optional<Said> read_binary(std::string_view input) {
  const auto byte = [&](std::size_t at) -> std::size_t { return static_cast<unsigned char>(input[at]); };
  if (!input.starts_with(kSignature) || input.size() < 16 || (byte(12) & 0xfe) != 0x20) return std::nullopt;
  const std::size_t family = byte(13) >> 4, transport = byte(13) & 15, length = 16 + byte(14) * 256 + byte(15);
  const bool known = byte(13) == 0 || (family >= 1 && family <= 3 && transport >= 1 && transport <= 2);
  if (!known || length > kMaxProxyHeader || length > input.size()) return std::nullopt;
  if (byte(12) == 0x20 || family == 0) return Said{length, std::nullopt};
  std::size_t at = 16 + (family == 1 ? 12 : family == 2 ? 36 : 216);
  if (at > length) return std::nullopt;
  while (at < length) {
    if (at + 3 > length) return std::nullopt;
    at += 3 + byte(at + 1) * 256 + byte(at + 2);
    if (at > length) return std::nullopt;
  }
  if (family == 3 || transport != 1) return Said{length, std::nullopt};
  Address source;
  source.kind = family == 1 ? Address::Kind::ipv4 : Address::Kind::ipv6;
  const std::size_t ip = family == 1 ? 4 : 16;
  std::memcpy(source.ip.data(), input.data() + 16, ip);
  source.port = static_cast<std::uint16_t>(byte(16 + 2 * ip) * 256 + byte(16 + 2 * ip + 1));
  return Said{length, source};
}

/// An address of the input's choice, written as a header, must be read back.
void check_round_trip(Choices& choices) {
  Address source;
  source.kind = choices.below(2) == 0 ? Address::Kind::ipv4 : Address::Kind::ipv6;
  const std::size_t ip = source.kind == Address::Kind::ipv4 ? 4 : 16;
  std::generate_n(source.ip.begin(), ip, [&] { return static_cast<std::uint8_t>(choices.below(256)); });
  source.port = static_cast<std::uint16_t>(choices.below(65536));
  const std::string text = source.ip_text(), word = ip == 4 ? "TCP4" : "TCP6";
  const std::string line = "PROXY " + word + " " + text + " " + text + " " + std::to_string(source.port) + " 80\r\n";
  std::string bytes(kSignature);
  bytes += {'\x21', ip == 4 ? '\x11' : '\x21', '\0', static_cast<char>(2 * ip + 4)};
  for (int i = 0; i < 2; ++i) bytes.append(reinterpret_cast<const char*>(source.ip.data()), ip);
  bytes += {static_cast<char>(source.port >> 8), static_cast<char>(source.port & 255), '\0', '\x50'};
  for (const std::string& written : {line, bytes}) {
    ProxyHeader header;
    Fault fault;
    must(parse_proxy_header(written, header, fault) == Parse::complete, "what is written by the book is accepted");
    must(Said{header.length, header.source} == Said{written.size(), source}, "and read back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Choices choices(input);
  ProxyHeader header;
  const auto parse = [&](std::string_view bytes, Fault& fault) { return parse_proxy_header(bytes, header, fault); };
  const Parse result = check_arrival(input, choices, parse, [&] { return header.length; });
  const std::optional<Said> expected = input.starts_with('\r') ? read_binary(input) : read_words(input);
  must((result == Parse::complete) == expected.has_value(), "both readings accept the same");
  if (expected) must(Said{header.length, header.source} == *expected, "both readings see the same client");
  check_round_trip(choices);
  return 0;
}
