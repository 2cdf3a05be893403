#include "config/base/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace gray {
namespace {

constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<Address> parse_unix(std::string_view path) {
  if (path.empty() || path.size() > kLongestPath || path.find('\0') != path.npos) return std::nullopt;
  Address address;
  address.kind = Address::Kind::unix_path;
  address.path = path;
  return address;
}

}  // namespace

std::optional<Address> parse_ip(std::string_view text) {
  const std::string copy(text);  // inet_pton needs a terminator
  if (copy.find('\0') != copy.npos) return std::nullopt;
  Address address;
  if (inet_pton(AF_INET, copy.c_str(), address.ip.data()) == 1) return address;
  address.kind = Address::Kind::ipv6;
  if (inet_pton(AF_INET6, copy.c_str(), address.ip.data()) == 1) return address;
  return std::nullopt;
}

std::optional<Address> Address::parse(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto port_number = parse_port(text.substr(colon + 1));
  auto address = parse_ip(host);
  if (!port_number || !address || bracketed != (address->kind == Kind::ipv6)) return std::nullopt;
  address->port = *port_number;
  return address;
}

std::optional<Address> Address::from(const sockaddr_storage& storage, socklen_t length) {
  Address address;
  if (storage.ss_family == AF_INET && length >= sizeof(sockaddr_in)) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    std::memcpy(address.ip.data(), &in.sin_addr, 4);
    address.port = ntohs(in.sin_port);
    return address;
  }
  if (storage.ss_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(storage);
    address.kind = Kind::ipv6;
    std::memcpy(address.ip.data(), &in.sin6_addr, 16);
    address.port = ntohs(in.sin6_port);
    return address;
  }
  if (storage.ss_family != AF_UNIX) return std::nullopt;
  // A client that did not bind has no path, and an abstract name starts with NUL: both give an empty path here.
  const auto& un = reinterpret_cast<const sockaddr_un&>(storage);
  address.kind = Kind::unix_path;
  if (length > offsetof(sockaddr_un, sun_path))
    address.path.assign(un.sun_path, strnlen(un.sun_path, length - offsetof(sockaddr_un, sun_path)));
  return address;
}

socklen_t Address::to(sockaddr_storage& storage) const {
  storage = {};
  if (kind == Kind::ipv4) {
    auto& in = reinterpret_cast<sockaddr_in&>(storage);
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, ip.data(), 4);
    return sizeof(sockaddr_in);
  }
  if (kind == Kind::ipv6) {
    auto& in = reinterpret_cast<sockaddr_in6&>(storage);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, ip.data(), 16);
    return sizeof(sockaddr_in6);
  }
  auto& un = reinterpret_cast<sockaddr_un&>(storage);
  un.sun_family = AF_UNIX;
  const std::size_t bytes = path.copy(un.sun_path, kLongestPath);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + bytes + 1);
}

int Address::family() const {
  switch (kind) {
    case Kind::ipv4: return AF_INET;
    case Kind::ipv6: return AF_INET6;
    case Kind::unix_path: break;
  }
  return AF_UNIX;
}

std::string Address::text() const {
  if (kind == Kind::unix_path) return "unix:" + path;
  const std::string host = kind == Kind::ipv6 ? "[" + ip_text() + "]" : ip_text();
  return host + ":" + std::to_string(port);
}

std::string Address::ip_text() const {
  if (kind == Kind::unix_path) return {};
  char buffer[INET6_ADDRSTRLEN] = {};
  inet_ntop(family(), ip.data(), buffer, sizeof(buffer));
  return buffer;
}

bool is_nearby(const Address& address) {
  if (address.kind == Address::Kind::unix_path) return true;
  const auto mapped = address.kind == Address::Kind::ipv6 ? mapped_ipv4(address.ip) : std::optional(address.ip);
  if (mapped) {
    const auto& ip = *mapped;
    return ip[0] == 127 || ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) || (ip[0] == 192 && ip[1] == 168) ||
           (ip[0] == 169 && ip[1] == 254);
  }
  const auto& ip = address.ip;
  std::array<std::uint8_t, 16> loopback{};
  loopback.back() = 1;
  return ip == loopback || (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

}  // namespace gray
