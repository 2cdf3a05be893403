#pragma once
// Finds the process that listens at an address of this host: netlink, or /proc/net where netlink is not permitted,
// names the listening sockets, and /proc names their processes, as far as grayd may read it. A connect is not enough,
// because it may reach a different program.
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.hpp"
#include "config/base/peer_owner.hpp"
#include "config/shared/version_view.hpp"

namespace gray::supervisor {

struct Listener {
  enum class Owner { none, worker, stranger } owner = Owner::none;
  std::string complaint;  // stranger: its name and what to do, one line
};
/// Whether one of these processes listens at the address.
Listener find_listener(const Address& address, const std::vector<pid_t>& worker_pids);
/// Likewise, with the sockets that listen there.
Listener find_listener(const Address& address, const std::vector<std::uint64_t>& inodes,
                       const std::vector<pid_t>& worker_pids);
/// The complaint about a stranger: `holder` is "pid 4711 (nginx)", or empty if it cannot be known.
std::string stranger_at(const Address& address, const std::string& holder);

/// Inodes of the sockets that listen at a unix path as it was bound, or on a TCP port of any address.
std::vector<std::uint64_t> listening_at(const Address& address);

/// The sockets that listen at an address, with the sum of their backlogs. Empty where netlink is not permitted.
ListenerView look_at_listener(const Address& address);
/// The same. Sockets are asked for one by one, which costs the same however many listen on this host; only where
/// netlink is not permitted, or a backlog is so short that other sockets of the port may matter, are all looked at.
ListenerView look_at_listener(const Address& address, const PeerOwners& kernel);

/// "pid 4711 (nginx)"; empty if /proc does not show it (another user's process, another network namespace). For people.
std::string owner_of(const Address& address);

/// Inodes of the sockets that listen on a port, from the text of /proc/net/tcp or tcp6. Pure.
std::vector<std::uint64_t> listening_inodes(const std::string& proc_net_tcp, std::uint16_t port);
/// Whether the rows of all listening sockets are in such a text, which may be cut anywhere: the kernel guarantees that
/// they come first, and behind them there may be a hundred thousand connections. Pure.
bool has_all_that_listen(std::string_view proc_net_tcp);
/// Likewise for unix sockets that listen at a path, from the text of /proc/net/unix.
std::vector<std::uint64_t> listening_inodes(const std::string& proc_net_unix, std::string_view path);

}  // namespace gray::supervisor
