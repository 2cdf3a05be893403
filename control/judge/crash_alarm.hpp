#pragma once
// Whether the processes of a canary end again and again while those of stable do not. Pure.
//
// An end: a process that could serve is gone, and no operator or replacement has asked for it. Two ends within kWindow
// are a fault, and so is one of a process that has served for less than kYoung: a canary that crashes on its first
// requests must get no more. If as many processes of stable have ended meanwhile, the cause is not the canary.
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "config/shared/version_view.hpp"

namespace gray::control {

class CrashAlarm {
 public:
  static constexpr Duration kWindow{60'000};
  static constexpr Duration kYoung{10'000};
  static constexpr std::size_t kEnds = 2;

  /// Nothing, or the reason for the alarm as one line: "2 processes of v2 ended within 60 s; the last one: exit 3".
  std::optional<std::string> look(TimePoint now, const VersionView& canary, const VersionView& stable);

 private:
  struct Process {
    std::uint64_t generation;
    TimePoint serves_since;
  };
  struct Side {
    std::map<std::string, Process> serving;  // by worker
    std::deque<TimePoint> ends;
    bool young = false;  // one of the ends
    std::string last;
    void look(TimePoint now, const VersionView& view);
  };
  Side canary_, stable_;
};

}  // namespace gray::control
