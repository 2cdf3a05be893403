#include "router/http/date.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace gray::http {
namespace {

using namespace std::chrono;

constexpr sys_seconds kFirst{seconds{0}};
constexpr sys_seconds kLast = sys_days{year{9999} / December / 31} + days{1} - seconds{1};
constexpr const char* kWeekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

void write_date(sys_seconds time, char* out) {
  time = std::clamp(time, kFirst, kLast);
  const sys_days day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  fmt::format_to_n(out, kDateText, "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[weekday{day}.c_encoding()],
                   static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                   static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                   clock.seconds().count());
}

}  // namespace gray::http
