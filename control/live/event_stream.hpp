#pragma once
// Server-Sent Events (the WHATWG HTML standard, section 9.2) as far as grayd writes them. Pure.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace gray::control {

/// One event. `data` has no line end.
std::string event_text(std::uint64_t id, std::string_view data);

/// The data of events, from bytes as they come.
class EventStreamReader {
 public:
  static constexpr std::size_t kMost = 64 << 20;  // bytes of one line

  /// `take` gets the data of each event that `bytes` end. False: a line is too long; nothing more can be read.
  bool read(std::string_view bytes, const std::function<void(std::string_view data)>& take);

 private:
  std::string line_, data_;
};

}  // namespace gray::control
