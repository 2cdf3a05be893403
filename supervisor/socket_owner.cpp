#include "supervisor/socket_owner.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "supervisor/process_table.hpp"

namespace gray::supervisor {
namespace {

constexpr unsigned kListen = 0x0A;       // TCP_LISTEN in /proc/net/tcp
constexpr unsigned kAccepts = 1u << 16;  // __SO_ACCEPTCON in /proc/net/unix

std::vector<std::uint64_t> inodes_at(const Address& address) {
  if (address.kind == Address::Kind::unix_path)
    return listening_inodes(read_file("/proc/self/net/unix"), std::string_view(address.path));
  std::vector<std::uint64_t> inodes = listening_inodes(read_file("/proc/self/net/tcp"), address.port);
  for (const std::uint64_t inode : listening_inodes(read_file("/proc/self/net/tcp6"), address.port))
    inodes.push_back(inode);
  return inodes;
}

std::string holder_of(const std::vector<std::uint64_t>& inodes) {
  for (const ProcessInfo& process : all_processes())
    if (holds_socket(process.pid, inodes)) return "pid " + std::to_string(process.pid) + " (" + process.name + ")";
  return {};
}

}  // namespace

Listener find_listener(const Address& address, const std::vector<pid_t>& worker_pids) {
  const std::vector<std::uint64_t> inodes = inodes_at(address);
  if (inodes.empty()) return {};
  const auto holds = [&](pid_t pid) { return holds_socket(pid, inodes); };
  if (std::any_of(worker_pids.begin(), worker_pids.end(), holds)) return {Listener::Owner::worker, {}};
  const std::string holder = holder_of(inodes);
  if (holder.empty() && inodes_at(address).empty()) return {};  // whoever it was has just ended
  return {Listener::Owner::stranger, address.text() + " is answered by " +
                                         (holder.empty() ? "a process of another user" : holder) +
                                         ", not by this worker; end that program"};
}

std::string owner_of(const Address& address) {
  const std::vector<std::uint64_t> inodes = inodes_at(address);
  return inodes.empty() ? std::string() : holder_of(inodes);
}

// sl  local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
std::vector<std::uint64_t> listening_inodes(const std::string& proc_net_tcp, std::uint16_t port) {
  std::vector<std::uint64_t> inodes;
  std::istringstream lines(proc_net_tcp);
  for (std::string line; std::getline(lines, line);) {
    unsigned local = 0, state = 0;
    unsigned long long inode = 0;
    const int fields = std::sscanf(
        line.c_str(), " %*d: %*[0-9A-F]:%X %*[0-9A-F]:%*X %X %*X:%*X %*X:%*X %*X %*u %*d %llu", &local, &state, &inode);
    if (fields == 3 && local == port && state == kListen && inode != 0) inodes.push_back(inode);
  }
  return inodes;
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
