#include "supervisor/process/oom_kills.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>

#include "supervisor/kernel/process_table.hpp"
#include "supervisor/process/cgroup.hpp"

namespace gray::supervisor {
namespace {

constexpr std::string_view kKey = "oom_kill ";

bool has_entry(const std::string& list, std::string_view entry) {
  std::istringstream entries(list);
  for (std::string each; std::getline(entries, each, ',');)
    if (each == entry) return true;
  return false;
}

std::string own_cgroup2(const std::string& mountinfo, const std::string& proc_cgroup) {
  const auto mount = cgroup2_mount(mountinfo);
  const auto path = cgroup2_path(proc_cgroup);
  return mount && path ? *mount + *path : std::string();
}

}  // namespace

std::uint64_t oom_kill_count(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(kKey)) return std::strtoull(line.c_str() + kKey.size(), nullptr, 10);
  return 0;
}

std::string cgroup1_memory_path(const std::string& mountinfo, const std::string& proc_cgroup) {
  std::string path, mount;
  std::istringstream memberships(proc_cgroup);  // "4:memory:/a/b"
  for (std::string line; std::getline(memberships, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second != std::string::npos && has_entry(line.substr(first + 1, second - first - 1), "memory"))
      path = line.substr(second + 1);
  }
  std::istringstream mounts(mountinfo);
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" - cgroup ") == std::string::npos || !has_entry(line.substr(line.rfind(' ') + 1), "memory"))
      continue;
    std::istringstream fields(line);
    std::string id, parent, device, root;
    fields >> id >> parent >> device >> root >> mount;
  }
  return path.empty() || mount.empty() ? std::string() : mount + path;
}

OomKills::OomKills(std::string file) : file_(std::move(file)), before_(oom_kill_count(read_file(file_))) {}

OomKills OomKills::since_now(const std::string& cgroup) {
  const std::string mountinfo = read_file("/proc/self/mountinfo"), memberships = read_file("/proc/self/cgroup");
  const std::array<std::string, 4> files = {
      cgroup + "/memory.events", own_cgroup2(mountinfo, memberships) + "/memory.events",
      cgroup1_memory_path(mountinfo, memberships) + "/memory.oom_control", "/proc/vmstat"};
  for (const std::string& file : files)
    if (::access(file.c_str(), R_OK) == 0) return OomKills(file);
  return OomKills(std::string());
}

bool OomKills::any() const { return oom_kill_count(read_file(file_)) > before_; }

}  // namespace gray::supervisor
