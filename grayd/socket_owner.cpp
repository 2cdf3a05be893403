#include "grayd/socket_owner.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace gray::master {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool holds(const fs::path& process, const std::string& link) {
  std::error_code error;
  for (fs::directory_iterator fd(process / "fd", error), end; !error && fd != end; fd.increment(error)) {
    std::error_code unreadable;
    if (fs::read_symlink(fd->path(), unreadable) == link) return true;
  }
  return false;
}

bool is_number(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string process_with(std::uint64_t inode) {
  const auto link = fmt::format("socket:[{}]", inode);
  std::error_code error;
  for (fs::directory_iterator process("/proc", error), end; !error && process != end; process.increment(error)) {
    const auto pid = process->path().filename().string();
    if (!is_number(pid) || !holds(process->path(), link)) continue;
    auto name = text_of(process->path() / "comm");
    while (!name.empty() && name.back() == '\n') name.pop_back();
    return fmt::format("pid {} {}", pid, name);
  }
  return {};
}

}  // namespace

/// Columns: number, local address:port in hexadecimal, remote, state (0A listens), four more, timeout, inode.
std::optional<std::uint64_t> listening_inode(std::string_view table, std::uint16_t port) {
  std::istringstream lines{std::string(table)};
  const auto suffix = fmt::format(":{:04X}", port);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream columns(line);
    std::string number, local, remote, state, queues, timer, retransmits, uid, timeout;
    std::uint64_t inode = 0;
    columns >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
    if (columns && state == "0A" && local.ends_with(suffix)) return inode;
  }
  return std::nullopt;
}

std::string owner_of_port(std::uint16_t port) {
  for (const auto* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    if (const auto inode = listening_inode(text_of(table), port)) return process_with(*inode);
  }
  return {};
}

}  // namespace gray::master
