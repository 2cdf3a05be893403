#include "config/keys/number_pattern.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace gray {
namespace {

using Unit = std::pair<const char*, std::uint64_t>;
constexpr Unit kSizeUnits[] = {{"B", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}};
constexpr Unit kTimeUnits[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};

std::string digits(char first, char last) {
  if (first == last) return {first};
  return "[" + std::string{first} + "-" + std::string{last} + "]";
}

std::string any_digits(std::size_t count) {
  if (count == 0) return {};
  return count == 1 ? "[0-9]" : "[0-9]{" + std::to_string(count) + "}";
}

/// Numbers of one length, digit by digit: those with the first digit of `least`, of `most`, and all between.
void add_same_length(std::string front, const std::string& least, const std::string& most,
                     std::vector<std::string>& out) {
  if (least.empty()) {
    out.push_back(std::move(front));
    return;
  }
  const std::string rest_least = least.substr(1), rest_most = most.substr(1);
  if (least[0] == most[0]) return add_same_length(front + least[0], rest_least, rest_most, out);
  const bool from_zeros = rest_least.find_first_not_of('0') == rest_least.npos;
  const bool to_nines = rest_most.find_first_not_of('9') == rest_most.npos;
  const char first = from_zeros ? least[0] : static_cast<char>(least[0] + 1);
  const char last = to_nines ? most[0] : static_cast<char>(most[0] - 1);
  if (!from_zeros) add_same_length(front + least[0], rest_least, std::string(rest_least.size(), '9'), out);
  if (first <= last) out.push_back(front + digits(first, last) + any_digits(rest_least.size()));
  if (!to_nines) add_same_length(front + most[0], std::string(rest_most.size(), '0'), rest_most, out);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "|") + part;
  return text;
}

std::uint64_t rounded_up(std::uint64_t value, std::uint64_t unit) { return value / unit + (value % unit != 0); }

/// Of a decimal number of milliseconds only zeros are allowed behind the point, of seconds three other digits.
std::string fraction_of(std::uint64_t factor) {
  if (factor == 1) return "\\.0{1,9}";
  if (factor == 1'000) return "\\.(?:[0-9]{1,3}|[0-9]{3}0{1,6})";
  return "\\.[0-9]{1,9}";
}

}  // namespace

std::string whole_pattern(std::uint64_t least, std::uint64_t most) {
  std::vector<std::string> parts;
  for (std::string low = std::to_string(least); least <= most; low = std::to_string(least)) {
    const std::string nines(low.size(), '9');
    const bool ends = std::to_string(most).size() == low.size();
    add_same_length("", low, ends ? std::to_string(most) : nines, parts);
    if (ends) break;
    least = std::stoull(nines) + 1;
  }
  return "0*(?:" + joined(parts) + ")";
}

std::string size_pattern(std::uint64_t least, std::uint64_t most) {
  std::vector<std::string> parts;
  if (least == 0) parts.emplace_back("0");
  for (const auto& [name, factor] : kSizeUnits)
    if (rounded_up(least, factor) <= most / factor)
      parts.push_back(whole_pattern(rounded_up(least, factor), most / factor) + name);
  return "^(?:" + joined(parts) + ")$";
}

std::string duration_pattern(std::uint64_t least, std::uint64_t most) {
  constexpr std::uint64_t kYear = 365ull * 24 * 3'600'000;  // the most that parse_duration() accepts
  most = std::min(most, kYear);
  std::vector<std::string> parts;
  if (least == 0) parts.emplace_back("0");
  for (const auto& [name, factor] : kTimeUnits) {
    if (rounded_up(least, factor) <= most / factor)
      parts.push_back(whole_pattern(rounded_up(least, factor), most / factor) + name);
    const std::uint64_t whole = least / factor;
    parts.push_back(whole_pattern(whole, std::max(whole, most / factor)) + fraction_of(factor) + name);
  }
  return "^(?:" + joined(parts) + ")$";
}

}  // namespace gray
