#pragma once
// Finds the line of a request in the access log. The newest lines are read first, since people ask about what has just
// happened. A log may have many gigabytes, so the search ends at a bound. grayctl searches in its own process, grayd in
// the thread that answers the page.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gray::control {

struct SearchBounds {
  static constexpr std::uint64_t kMost = std::uint64_t{4} << 30;
  std::uint64_t bytes = kMost;      // of all files together
  std::function<bool()> over = {};  // asked before each MiB: whether the search ends here; empty: it does not
};

struct LogSearch {
  enum class End : std::uint8_t { found, absent, bound, failed };
  End end = End::absent;
  std::string file;            // where it was found, or which one could not be read
  std::string line;            // without its line end
  int error = 0;               // failed: errno; ESPIPE: it is not a regular file, so it cannot be searched
  std::uint64_t searched = 0;  // bytes
  std::string oldest;          // the time of the oldest line that was read; empty: none was
};

/// The newest line with this member `"request_id"` in `files`, of which the first is the newest and must exist.
LogSearch find_request(const std::vector<std::string>& files, std::string_view request_id,
                       const SearchBounds& bounds = {});

}  // namespace gray::control
