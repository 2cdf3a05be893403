#include <algorithm>
#include <charconv>
#include <cstring>

#include "config/base/address.hpp"

namespace gray {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint8_t kMappedBits = 96;

bool is_mapped(const std::array<std::uint8_t, 16>& ip) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin());
}

std::array<std::uint8_t, 16> unmapped(const std::array<std::uint8_t, 16>& ip) {
  return {ip[12], ip[13], ip[14], ip[15]};
}

std::array<std::uint8_t, 16> masked(std::array<std::uint8_t, 16> ip, unsigned bits) {
  for (unsigned i = 0; i < ip.size(); ++i) {
    const unsigned keep = bits > i * 8 ? std::min(bits - i * 8, 8u) : 0;
    ip[i] = static_cast<std::uint8_t>(ip[i] & ~(0xffu >> keep));
  }
  return ip;
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
  if (network.ipv6 && network.bits >= kMappedBits && is_mapped(network.ip))
    network = {
        .ipv6 = false, .ip = unmapped(network.ip), .bits = static_cast<std::uint8_t>(network.bits - kMappedBits)};
  network.ip = masked(network.ip, network.bits);
  return network;
}

bool Cidr::contains(const Address& address) const {
  if (address.kind == Address::Kind::unix_path) return false;
  const bool mapped = address.kind == Address::Kind::ipv6 && is_mapped(address.ip);
  const bool is_ipv6 = address.kind == Address::Kind::ipv6 && !mapped;
  if (is_ipv6 != ipv6) return false;
  return masked(mapped ? unmapped(address.ip) : address.ip, bits) == ip;
}

std::string Cidr::text() const {
  Address address;
  address.kind = ipv6 ? Address::Kind::ipv6 : Address::Kind::ipv4;
  address.ip = ip;
  return address.ip_text() + "/" + std::to_string(bits);
}

}  // namespace gray
