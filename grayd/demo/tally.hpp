#pragma once
// What the users of the demo have met, by version. Faults are counted from the last forget_faults() on, so that the
// figures of one break are not those of the one before. Pure.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "config/base/time.hpp"
#include "config/base/wall_time.hpp"

namespace gray::demo {

/// One answer.
struct Met {
  std::string version;  // X-Gray-Version; empty: grayd itself answered
  int user = 0;
  int status = 200;
  Duration took{0};
  WallTime at{};
};

/// Answers of one kind.
struct Faults {
  std::uint64_t requests = 0;
  std::set<int> users;
  std::optional<WallTime> first;
};

struct VersionTally {
  std::uint64_t requests = 0;
  Faults failed;  // 5xx
  Faults late;    // after more than kLatency
};

class Tally {
 public:
  void add(const Met& met);
  void forget_faults();
  const VersionTally& of(const std::string& version) const;
  std::uint64_t requests() const { return requests_; }

 private:
  std::map<std::string, VersionTally> versions_;
  std::uint64_t requests_ = 0;
};

}  // namespace gray::demo
