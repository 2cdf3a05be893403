#include "grayd/init/open_ports.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "supervisor/kernel/process_table.hpp"
#include "supervisor/kernel/socket_owner.hpp"
#include "supervisor/kernel/tcp_table.hpp"

namespace gray::init {
namespace {

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

std::vector<OpenPort> listening_rows(const std::string& table, bool six) {
  std::vector<OpenPort> rows;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    const auto row = supervisor::tcp_row(line);
    if (row && row->listens && row->inode != 0) rows.push_back({row->port, row->everywhere, six, row->inode});
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
