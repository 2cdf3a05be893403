#include "supervisor/port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "supervisor/process_table.hpp"

namespace gray::supervisor {
namespace {

constexpr unsigned kListen = 0x0A;  // TCP_LISTEN in /proc/net/tcp

}  // namespace

std::optional<Port> Port::reserve() {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return std::nullopt;
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return std::nullopt;
  return Port(std::move(socket), ntohs(address.sin_port));
}

std::vector<std::uint64_t> listening_inodes(const std::string& proc_net_tcp, std::uint16_t port) {
  std::vector<std::uint64_t> inodes;
  std::istringstream lines(proc_net_tcp);
  for (std::string line; std::getline(lines, line);) {
    unsigned local = 0, state = 0;
    unsigned long long inode = 0;
    // sl  local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    const int fields = std::sscanf(
        line.c_str(), " %*d: %*[0-9A-F]:%X %*[0-9A-F]:%*X %X %*X:%*X %*X:%*X %*X %*u %*d %llu", &local, &state, &inode);
    if (fields == 3 && local == port && state == kListen && inode != 0) inodes.push_back(inode);
  }
  return inodes;
}

Listener find_listener(std::uint16_t port, const std::vector<pid_t>& worker_pids) {
  std::vector<std::uint64_t> inodes = listening_inodes(read_file("/proc/self/net/tcp"), port);
  for (const std::uint64_t inode : listening_inodes(read_file("/proc/self/net/tcp6"), port)) inodes.push_back(inode);
  if (inodes.empty()) return {};
  const auto holds = [&](pid_t pid) { return holds_socket(pid, inodes); };
  if (std::any_of(worker_pids.begin(), worker_pids.end(), holds)) return {Listener::Owner::worker, {}};
  const std::string prefix = "port " + std::to_string(port) + " is answered by ";
  for (const ProcessInfo& process : all_processes())
    if (holds(process.pid))
      return {Listener::Owner::stranger,
              prefix + "pid " + std::to_string(process.pid) + " (" + process.name + "), not by this worker"};
  return {Listener::Owner::stranger, prefix + "a process of another user, not by this worker"};
}

}  // namespace gray::supervisor
