#pragma once
// The Date of the answers of one thread: the wall clock is read at most ten times a second, and its text is written at
// most once a second.
#include <array>
#include <string_view>

#include "config/base/time.hpp"
#include "router/http/date.hpp"

namespace gray::proxy {

inline constexpr Duration kDateAge{100};  // how late a Date follows the wall clock

class DateClock {
 public:
  /// kDateText characters, valid until the next call.
  std::string_view text(TimePoint now) {
    if (now >= until_) read(now);
    return {text_.data(), text_.size()};
  }

 private:
  void read(TimePoint now);

  TimePoint until_ = TimePoint::min();
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  std::array<char, http::kDateText> text_{};
};

}  // namespace gray::proxy
