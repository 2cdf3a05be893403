#include "supervisor/kernel/socket_owner.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <sstream>

#include "supervisor/kernel/process_table.hpp"
#include "supervisor/kernel/sock_diag.hpp"
#include "supervisor/kernel/tcp_table.hpp"

namespace gray::supervisor {
namespace {

constexpr std::uint32_t kAmple = 128;    // a backlog
constexpr unsigned kAccepts = 1u << 16;  // __SO_ACCEPTCON in /proc/net/unix

std::optional<std::vector<std::uint64_t>> told_by_netlink(const Address& address) {
  if (address.kind == Address::Kind::unix_path) return listening_unix(address.path);
  auto inodes = listening_tcp(AF_INET, address.port), six = listening_tcp(AF_INET6, address.port);
  if (!inodes || !six) return std::nullopt;
  inodes->insert(inodes->end(), six->begin(), six->end());
  return inodes;
}

/// Used where netlink is not permitted or not available. The texts grow with the number of connections.
std::vector<std::uint64_t> inodes_from_proc(const Address& address) {
  if (address.kind == Address::Kind::unix_path)
    return listening_inodes(read_file("/proc/self/net/unix"), std::string_view(address.path));
  std::vector<std::uint64_t> inodes;
  for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"})
    for (const std::uint64_t inode : listening_inodes(read_file(table, has_all_that_listen), address.port))
      inodes.push_back(inode);
  return inodes;
}

std::string holder_of(const std::vector<std::uint64_t>& inodes) {
  for (const ProcessInfo& process : all_processes())
    if (holds_socket(process.pid, inodes)) return describe_process(process.pid);
  return {};
}

}  // namespace

std::vector<std::uint64_t> listening_at(const Address& address) {
  auto inodes = told_by_netlink(address);
  return inodes ? *std::move(inodes) : inodes_from_proc(address);
}

std::string stranger_at(const Address& address, const std::string& holder) {
  return address.text() + " is answered by " + (holder.empty() ? "a process of another user" : holder) +
         ", not by this worker; stop that program";
}

Listener find_listener(const Address& address, const std::vector<pid_t>& worker_pids) {
  return find_listener(address, listening_at(address), worker_pids);
}

Listener find_listener(const Address& address, const std::vector<std::uint64_t>& inodes,
                       const std::vector<pid_t>& worker_pids) {
  if (inodes.empty()) return {};
  const auto holds = [&](pid_t pid) { return holds_socket(pid, inodes); };
  if (std::any_of(worker_pids.begin(), worker_pids.end(), holds)) return {Listener::Owner::worker, {}};
  const std::string holder = holder_of(inodes);
  if (holder.empty() && listening_at(address).empty()) return {};  // the other process has just ended
  return {Listener::Owner::stranger, stranger_at(address, holder)};
}

ListenerView look_at_listener(const Address& address) {
  ListenerView view;
  const auto add = [&](const std::optional<std::vector<ListeningSocket>>& sockets) {
    for (const ListeningSocket& one : sockets.value_or(std::vector<ListeningSocket>{})) {
      view.backlog += one.backlog;
      view.everywhere = view.everywhere || one.everywhere;
    }
  };
  if (address.kind == Address::Kind::unix_path) {
    add(unix_listeners(address.path));
  } else {
    add(tcp_listeners(AF_INET, address.port));
    add(tcp_listeners(AF_INET6, address.port));
  }
  return view;
}

ListenerView look_at_listener(const Address& address, const PeerOwners& kernel) {
  if (address.kind == Address::Kind::unix_path) return look_at_listener(address);
  Address six = address;
  six.kind = Address::Kind::ipv6;
  six.ip = {};
  six.ip.back() = 1;
  ListenerView view;
  std::uint64_t inode = 0;
  for (const Address& one : {address, six}) {
    const auto socket = kernel.listener(one);
    if (!socket || socket->state != TCP_LISTEN || socket->inode == inode) continue;  // one of IPv6 may accept both
    inode = socket->inode;
    view.backlog += socket->backlog;
    view.everywhere = view.everywhere || socket->everywhere;
  }
  return view.backlog < kAmple ? look_at_listener(address) : view;
}

std::string owner_of(const Address& address) {
  const std::vector<std::uint64_t> inodes = listening_at(address);
  return inodes.empty() ? std::string() : holder_of(inodes);
}

std::vector<std::uint64_t> listening_inodes(const std::string& proc_net_tcp, std::uint16_t port) {
  std::vector<std::uint64_t> inodes;
  std::istringstream lines(proc_net_tcp);
  for (std::string line; std::getline(lines, line);) {
    const auto row = tcp_row(line);
    if (row && row->port == port && row->listens && row->inode != 0) inodes.push_back(row->inode);
  }
  return inodes;
}

bool has_all_that_listen(std::string_view proc_net_tcp) {
  const std::string_view whole = proc_net_tcp.substr(0, proc_net_tcp.rfind('\n'));
  const auto row = tcp_row(std::string(whole.substr(whole.rfind('\n') + 1)));
  return row && !row->listens;
}

// Num RefCount Protocol Flags Type St Inode Path
std::vector<std::uint64_t> listening_inodes(const std::string& proc_net_unix, std::string_view path) {
  std::vector<std::uint64_t> inodes;
  std::istringstream lines(proc_net_unix);
  for (std::string line; std::getline(lines, line);) {
    unsigned flags = 0;
    unsigned long long inode = 0;
    int end = 0;
    const int fields = std::sscanf(line.c_str(), "%*x: %*x %*x %x %*x %*x %llu %n", &flags, &inode, &end);
    if (fields == 2 && end > 0 && (flags & kAccepts) != 0 && std::string_view(line).substr(end) == path)
      inodes.push_back(inode);
  }
  return inodes;
}

}  // namespace gray::supervisor
