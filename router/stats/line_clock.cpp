#include "router/stats/line_clock.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace gray::stats {
namespace {

using namespace std::chrono;

constexpr WallTime kFirst{Micros{0}};
constexpr WallTime kLast = sys_days{year{9999} / December / 31} + days{1} - Micros{1};
constexpr std::size_t kFraction = 20;  // where the six digits begin

void write_digits(char* end, std::size_t count, std::uint32_t value) {
  for (; count > 0; --count, value /= 10) *--end = static_cast<char>('0' + value % 10);
}

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
  std::memcpy(text_, "0000-00-00T00:00:00.000000Z", kTimeText);
  write_digits(text_ + 4, 4, static_cast<std::uint32_t>(static_cast<int>(date.year())));
  write_digits(text_ + 7, 2, static_cast<unsigned>(date.month()));
  write_digits(text_ + 10, 2, static_cast<unsigned>(date.day()));
  write_digits(text_ + 13, 2, static_cast<std::uint32_t>(clock.hours().count()));
  write_digits(text_ + 16, 2, static_cast<std::uint32_t>(clock.minutes().count()));
  write_digits(text_ + 19, 2, static_cast<std::uint32_t>(clock.seconds().count()));
  second_ = second;
}

}  // namespace gray::stats
