#include "router/stats/line_clock.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace gray::stats {
namespace {

using namespace std::chrono;

constexpr WallTime kFirst{Micros{0}};
constexpr WallTime kLast = sys_days{year{9999} / December / 31} + days{1} - Micros{1};
constexpr std::size_t kFraction = 20;  // where the six digits begin

constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

void write_pair(std::uint32_t value, char* out) { std::memcpy(out, &kPairs[2 * value], 2); }

}  // namespace

void LineClock::write(WallTime time, char* out) {
  time = std::clamp(time, kFirst, kLast);
  const sys_seconds second = floor<seconds>(time);
  if (second != second_) format_second(second);
  std::memcpy(out, text_, kTimeText);
  const auto micros = static_cast<std::uint32_t>((time - second).count());
  write_pair(micros / 10'000, out + kFraction);
  write_pair(micros / 100 % 100, out + kFraction + 2);
  write_pair(micros % 100, out + kFraction + 4);
}

void LineClock::format_second(sys_seconds second) {
  const sys_days day = floor<days>(second);
  const year_month_day date{day};
  const hh_mm_ss clock{second - day};
  fmt::format_to_n(text_, kTimeText, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000000Z", static_cast<int>(date.year()),
                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                   clock.minutes().count(), clock.seconds().count());
  second_ = second;
}

}  // namespace gray::stats
