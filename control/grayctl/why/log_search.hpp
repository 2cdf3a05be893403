#pragma once
// Finds the line of a request in the access log. The newest lines are read first, since people ask about what has just
// happened, and a log may have many gigabytes: the search ends at a bound.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gray::control {

inline constexpr std::uint64_t kMostSearched = std::uint64_t{4} << 30;  // bytes, of all files together

struct LogSearch {
  enum class End : std::uint8_t { found, absent, bound, failed };
  End end = End::absent;
  std::string file;            // where it was found, or which one could not be read
  std::string line;            // without its line end
  int error = 0;               // failed: errno
  std::uint64_t searched = 0;  // bytes
  std::string oldest;          // the time of the oldest line that was read; empty: none was
};

/// The newest line with this member `"request_id"` in `files`, of which the first is the newest and must exist.
LogSearch find_request(const std::vector<std::string>& files, std::string_view request_id,
                       std::uint64_t most = kMostSearched);

}  // namespace gray::control
