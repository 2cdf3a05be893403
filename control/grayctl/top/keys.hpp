#pragma once
// What the keys of `grayctl top` do: bytes of the terminal in, settings of the view out. Pure. A key without a meaning
// changes nothing; sequences of the terminal for arrows and function keys are skipped as a whole.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gray::control {

enum class SortBy : std::uint8_t { service, weight, rate, errors, p50, p99, sockets, queue, memory, count };
/// "service", "weight", "rps", "err%", ...
const char* name_of(SortBy sort);

struct Controls {
  static constexpr std::size_t kLongestFilter = 40;

  SortBy sort = SortBy::service;
  std::string filter;   // of service and version; empty: all
  bool typing = false;  // the filter is being typed
  bool paused = false;
  bool help = false;
  bool quit = false;
  bool operator==(const Controls&) const = default;
};

/// `keys`: the bytes of one read.
void press(Controls& controls, std::string_view keys);

/// Whether a version is shown with this filter: each word of it is part of "SERVICE VERSION", in any case.
bool matches(const Controls& controls, std::string_view service, std::string_view version);

}  // namespace gray::control
