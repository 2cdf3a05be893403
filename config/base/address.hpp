#pragma once
// Addresses of listeners, and the networks of clients in rules. Values: copied and compared, no I/O, no name lookup.
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gray {

/// An address a socket can be bound or connected to.
struct Address {
  enum class Kind : std::uint8_t { ipv4, ipv6, unix_path };
  Kind kind = Kind::ipv4;
  std::array<std::uint8_t, 16> ip{};  // network order; the first 4 bytes for ipv4
  std::uint16_t port = 0;             // host order; 0 lets the kernel pick when bound
  std::string path;                   // unix_path only, at most 107 bytes

  /// "127.0.0.1:8000", "[::1]:8000" or "unix:PATH"; nothing for any other text.
  static std::optional<Address> parse(std::string_view text);
  /// From the structure that accept(2), getsockname(2) or getpeername(2) filled in.
  static std::optional<Address> from(const sockaddr_storage& storage, socklen_t length);
  /// Fills `storage` and returns the length to pass to bind(2) or connect(2).
  socklen_t to(sockaddr_storage& storage) const;
  int family() const;
  /// In the form that parse() reads.
  std::string text() const;
  /// The IP alone ("127.0.0.1", "::1"); empty for a unix path.
  std::string ip_text() const;
  bool operator==(const Address&) const = default;
};

/// An IP network, "10.0.0.0/8" or "fd00::/8"; a bare IP is a network of one.
struct Cidr {
  bool ipv6 = false;
  std::array<std::uint8_t, 16> ip{};
  std::uint8_t bits = 0;

  static std::optional<Cidr> parse(std::string_view text);
  /// The first one is `ip`.
  std::array<std::uint8_t, 16> last_ip() const;
  std::string text() const;
  bool operator==(const Cidr&) const = default;
};

/// The IPv4 address in an IPv4-mapped IPv6 address (RFC 4291 2.5.5.2); nothing for any other.
std::optional<std::array<std::uint8_t, 16>> mapped_ipv4(const std::array<std::uint8_t, 16>& ip);

/// Loopback, link-local, private (RFC 1918, RFC 4193), or a unix socket: more likely a proxy than a user.
bool is_nearby(const Address& address);

/// An IP without port, as in X-Forwarded-For.
std::optional<Address> parse_ip(std::string_view text);

}  // namespace gray
