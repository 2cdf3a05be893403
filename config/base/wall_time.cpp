#include "config/base/wall_time.hpp"

#include <fmt/chrono.h>

#include <cstdio>
#include <ctime>

namespace gray {

std::string rfc3339(WallTime time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(second), (time - second).count());
}

std::optional<WallTime> wall_time_from(std::string_view text) {
  std::tm utc{};
  int millis = 0, end = 0;
  const std::string whole(text);
  const int read = std::sscanf(whole.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
                               &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &millis, &end);
  if (read != 7 || static_cast<std::size_t>(end) != whole.size()) return std::nullopt;
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(timegm(&utc)) * 1'000 + millis));
}

}  // namespace gray
