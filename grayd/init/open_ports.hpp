#pragma once
// The TCP ports on which processes listen, with the extent: one address, or every interface of the host. From /proc, as
// far as grayd may read it.
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace gray::init {

struct OpenPort {
  std::uint16_t port = 0;
  bool everywhere = false;  // 0.0.0.0 or ::
  bool six = false;
  std::uint64_t inode = 0;
  bool operator==(const OpenPort&) const = default;
};

/// The rows of sockets that listen, of the text of /proc/net/tcp or (`six`) tcp6. Pure.
std::vector<OpenPort> listening_rows(const std::string& table, bool six);

/// Ports of the processes of a session, and of their descendants.
std::vector<OpenPort> ports_of_session(pid_t leader);

}  // namespace gray::init
