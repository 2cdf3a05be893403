#pragma once
// The value of a Date field: IMF-fixdate, RFC 9110 5.6.7. Pure.
#include <chrono>
#include <cstddef>

namespace gray::http {

inline constexpr std::size_t kDateText = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"

/// Writes exactly kDateText characters. Times before 1970 or after 9999 are written as the nearest of those.
void write_date(std::chrono::sys_seconds time, char* out);

}  // namespace gray::http
