#pragma once
// The mapped memory of one process, from /proc/PID/smaps. It races with the process, and needs the right to trace it.
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gray::master {

struct Mapping {
  std::uint64_t from = 0, to = 0;  // addresses; `to` is the first one behind it
  std::uint64_t resident = 0;      // bytes
  std::string name;                // a file, "[heap]", "/memfd:NAME (deleted)"; empty: anonymous

  bool contains(std::uint64_t address) const { return from <= address && address < to; }
  bool is_memfd(std::string_view memfd) const { return name.starts_with("/memfd:" + std::string(memfd)); }
  bool is_file() const { return name.starts_with('/') && !name.starts_with("/memfd:"); }
};

/// The text of such a file; lines that are not understood are ignored. Pure.
std::vector<Mapping> parse_smaps(std::string_view text);
/// Empty if the process is gone, or may not be looked at.
std::vector<Mapping> mappings_of(pid_t pid);

}  // namespace gray::master
