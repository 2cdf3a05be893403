#include <algorithm>
#include <charconv>
#include <cstring>

#include "config/base/address.hpp"

namespace gray {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint8_t kMappedBits = 96;

using Bytes = std::array<std::uint8_t, 16>;

/// The bits behind the prefix in byte `index`.
std::uint8_t host_bits(unsigned bits, unsigned index) {
  const unsigned fixed = bits > index * 8 ? std::min(bits - index * 8, 8u) : 0;
  return static_cast<std::uint8_t>(0xffu >> fixed);
}

std::optional<std::uint8_t> parse_bits(std::string_view text, std::uint8_t limit) {
  std::uint8_t bits = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (problem != std::errc{} || end != text.data() + text.size() || bits > limit) return std::nullopt;
  return bits;
}

}  // namespace

// Bits behind the prefix are cleared and a mapped network becomes IPv4, so that equal networks compare equal.
std::optional<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  Cidr network{.ipv6 = address->kind == Address::Kind::ipv6, .ip = address->ip, .bits = 0};
  network.bits = network.ipv6 ? 128 : 32;
  if (slash != text.npos) {
    const auto prefix = parse_bits(text.substr(slash + 1), network.bits);
    if (!prefix) return std::nullopt;
    network.bits = *prefix;
  }
  if (const auto ipv4 = mapped_ipv4(network.ip); ipv4 && network.ipv6 && network.bits >= kMappedBits)
    network = {.ipv6 = false, .ip = *ipv4, .bits = static_cast<std::uint8_t>(network.bits - kMappedBits)};
  for (unsigned i = 0; i < network.ip.size(); ++i)
    network.ip[i] = static_cast<std::uint8_t>(network.ip[i] & ~host_bits(network.bits, i));
  return network;
}

Bytes Cidr::last_ip() const {
  Bytes last = ip;
  for (unsigned i = 0; i < last.size(); ++i) last[i] = static_cast<std::uint8_t>(last[i] | host_bits(bits, i));
  return last;
}

std::optional<Bytes> mapped_ipv4(const Bytes& ip) {
  if (!std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin())) return std::nullopt;
  return Bytes{ip[12], ip[13], ip[14], ip[15]};
}

std::string Cidr::text() const {
  Address address;
  address.kind = ipv6 ? Address::Kind::ipv6 : Address::Kind::ipv4;
  address.ip = ip;
  return address.ip_text() + "/" + std::to_string(bits);
}

}  // namespace gray
