#pragma once
// Assigns rows of the shared segment to versions. A returned row is not reused while a request of its old version is
// still in flight: the end of that request must not be subtracted from the gauges of the new version.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "config/shared/segment.hpp"

namespace gray::control {

class Rows {
 public:
  explicit Rows(segment::Segment& segment);

  /// The row of the version, a new one if it has none; nothing if all segment::kVersions rows are in use.
  std::optional<std::uint32_t> take(const std::string& service, const std::string& version);
  std::optional<std::uint32_t> find(const std::string& service, const std::string& version) const;
  /// The service and version that have it; nothing: none has.
  std::optional<std::pair<std::string, std::string>> owner_of(std::uint32_t row) const;
  /// Returns the rows of all versions for which `used` is false.
  void keep(const std::function<bool(const std::string& service, const std::string& version)>& used);

  template <class Io>
  void archive(Io& io) {
    io("taken", taken_);
    io("free", free_);
  }

 private:
  segment::Segment& segment_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> taken_;
  std::deque<std::uint32_t> free_;  // longest unused first
};

}  // namespace gray::control
