#pragma once
// The rows of /proc/net/tcp and tcp6 as far as sockets that listen concern us. Pure.
#include <cstdint>
#include <optional>
#include <string>

namespace gray::supervisor {

struct TcpRow {
  std::uint16_t port = 0;   // of the local address
  bool everywhere = false;  // the local address is 0.0.0.0 or ::
  bool listens = false;
  std::uint64_t inode = 0;  // 0: the socket has no owner any more
  bool operator==(const TcpRow&) const = default;
};

/// A row; nothing for a head line or a malformed one.
std::optional<TcpRow> tcp_row(const std::string& line);

}  // namespace gray::supervisor
