#include "grayd/routers/mappings.hpp"

#include <cstdio>

#include "supervisor/kernel/process_table.hpp"

namespace gray::master {
namespace {

/// "7f97e84f2000-7f97e84fc000 r--p 00000000 00:01 1024                       /memfd:grayd-segment (deleted)"
bool begin_mapping(const std::string& line, Mapping& mapping) {
  unsigned long long from = 0, to = 0;
  int name = 0;
  const int fields = std::sscanf(line.c_str(), "%llx-%llx %*4s %*x %*x:%*x %*u %n", &from, &to, &name);
  if (fields != 2 || name == 0) return false;
  mapping = {from, to, 0, line.substr(static_cast<std::size_t>(name))};
  return true;
}

}  // namespace

std::vector<Mapping> parse_smaps(std::string_view text) {
  std::vector<Mapping> all;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    unsigned long long kilobytes = 0;
    if (!all.empty() && std::sscanf(line.c_str(), "Rss: %llu kB", &kilobytes) == 1) {
      all.back().resident = kilobytes << 10;
    } else if (Mapping mapping; begin_mapping(line, mapping)) {
      all.push_back(std::move(mapping));
    }
  }
  return all;
}

std::vector<Mapping> mappings_of(pid_t pid) {
  return parse_smaps(supervisor::read_file("/proc/" + std::to_string(pid) + "/smaps"));
}

}  // namespace gray::master
