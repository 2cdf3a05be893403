#include "grayd/init/open_ports.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>

#include "supervisor/kernel/process_table.hpp"
#include "supervisor/kernel/socket_owner.hpp"

namespace gray::init {
namespace {

constexpr unsigned kTcpListen = 0x0A;

std::vector<pid_t> members_of(pid_t leader) {
  const auto all = supervisor::all_processes();
  std::set<pid_t> members;
  for (const auto& process : all)
    if (process.pid == leader || process.session == leader) members.insert(process.pid);
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& process : all)
      if (members.contains(process.parent)) grew = members.insert(process.pid).second || grew;
  }
  return {members.begin(), members.end()};
}

}  // namespace

// sl  local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
std::vector<OpenPort> listening_rows(const std::string& table, bool six) {
  std::vector<OpenPort> rows;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    char address[33] = {};
    unsigned port = 0, state = 0;
    unsigned long long inode = 0;
    const int fields =
        std::sscanf(line.c_str(), " %*d: %32[0-9A-F]:%X %*[0-9A-F]:%*X %X %*X:%*X %*X:%*X %*X %*u %*d %llu", address,
                    &port, &state, &inode);
    if (fields != 4 || state != kTcpListen || inode == 0) continue;
    const bool everywhere = std::string(address).find_first_not_of('0') == std::string::npos;
    rows.push_back({static_cast<std::uint16_t>(port), everywhere, six, inode});
  }
  return rows;
}

std::vector<OpenPort> ports_of_session(pid_t leader) {
  if (leader <= 0) return {};
  const auto pids = members_of(leader);
  std::vector<OpenPort> ports;
  for (const bool six : {false, true}) {
    const std::string table =
        supervisor::read_file(six ? "/proc/self/net/tcp6" : "/proc/self/net/tcp", supervisor::has_all_that_listen);
    for (const OpenPort& row : listening_rows(table, six)) {
      const auto holds = [&](pid_t pid) { return supervisor::holds_socket(pid, {row.inode}); };
      if (std::ranges::any_of(pids, holds)) ports.push_back(row);
    }
  }
  return ports;
}

}  // namespace gray::init
