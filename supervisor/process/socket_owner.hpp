#pragma once
// Who answers at an address of this host: netlink names the sockets that listen there, or /proc/net where netlink is
// refused, and /proc tells who holds them, as far as we may look. Connecting proves nothing: somebody else may have
// been faster.
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.hpp"

namespace gray::supervisor {

struct Listener {
  enum class Owner { none, worker, stranger } owner = Owner::none;
  std::string complaint;  // stranger: who it is and what to do, one line
};
/// Whether one of these processes listens at the address.
Listener find_listener(const Address& address, const std::vector<pid_t>& worker_pids);

/// "pid 4711 (nginx)"; empty when /proc does not tell (another user's process, another network namespace). For people.
std::string owner_of(const Address& address);

/// Inodes of the sockets that listen on a port, from the text of /proc/net/tcp or tcp6. Pure.
std::vector<std::uint64_t> listening_inodes(const std::string& proc_net_tcp, std::uint16_t port);
/// Whether the rows of all sockets that listen are in such a text, which may be cut anywhere: the kernel promises that
/// they come first, and behind them there may be a hundred thousand connections. Pure.
bool has_all_that_listen(std::string_view proc_net_tcp);
/// Likewise of those that listen at a path, from the text of /proc/net/unix.
std::vector<std::uint64_t> listening_inodes(const std::string& proc_net_unix, std::string_view path);

}  // namespace gray::supervisor
