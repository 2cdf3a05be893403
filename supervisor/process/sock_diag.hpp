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

/// Inodes of the TCP sockets of a family that listen on a port, at any address. Nothing, with errno, if the kernel does
/// not answer.
std::optional<std::vector<std::uint64_t>> listening_tcp(sa_family_t family, std::uint16_t port);
/// Likewise of the unix sockets that listen at a path, as it was written when they were bound.
std::optional<std::vector<std::uint64_t>> listening_unix(std::string_view path);

}  // namespace gray::supervisor
