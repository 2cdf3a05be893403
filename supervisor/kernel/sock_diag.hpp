#pragma once
// Queries by netlink which sockets of this network namespace listen (sock_diag(7)). Only listening sockets are
// requested, so the answer is short however many connections there are. A missing answer is a case of its own: the
// kernel may be built without sock_diag, a module may be missing, or a filter of system calls may forbid netlink.
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gray::supervisor {

struct ListeningSocket {
  std::uint64_t inode = 0;
  std::uint32_t backlog = 0;  // as of listen(2), lowered by the kernel to net.core.somaxconn
  bool everywhere = false;    // bound to no address: TCP at every one of this host
};
/// The sockets that listen on a TCP port of a family, or at a unix path; as below.
std::optional<std::vector<ListeningSocket>> tcp_listeners(sa_family_t family, std::uint16_t port);
std::optional<std::vector<ListeningSocket>> unix_listeners(std::string_view path);

/// Inodes of the TCP sockets of a family that listen on a port, at any address. Nothing, with errno, if the kernel does
/// not answer.
std::optional<std::vector<std::uint64_t>> listening_tcp(sa_family_t family, std::uint16_t port);
/// Likewise of the unix sockets that listen at a path, as it was written when they were bound.
std::optional<std::vector<std::uint64_t>> listening_unix(std::string_view path);

}  // namespace gray::supervisor
