#pragma once
// The access log as a descriptor: the master opens it, the routers write whole lines to it.
#include <cstdint>
#include <optional>
#include <string>

#include "config/event_record.hpp"
#include "config/time.hpp"
#include "config/unique_fd.hpp"

namespace gray::master {

/// Says once that lines are lost, and again only after they have not been for kQuiet. Pure.
class AccessLogWatch {
 public:
  static constexpr Duration kGlance{1'000};  // how often to look
  static constexpr Duration kQuiet{60'000};

  /// `lost`: lines since the start. What there is to say, or nothing.
  std::optional<EventRecord> look(std::uint64_t lost, const std::string& path, TimePoint now);

 private:
  std::uint64_t seen_ = 0;
  std::optional<TimePoint> last_loss_;
};

/// Opened to append, made with its folders if missing; an empty path gives none. Throws std::runtime_error with a line
/// for people.
UniqueFd open_access_log(const std::string& path);

}  // namespace gray::master
