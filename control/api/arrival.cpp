#include "control/api/arrival.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace gray::control {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The value of the field, from its colon to the end of its line; `name` is in lower case.
std::optional<std::string_view> field_value(std::string_view head, std::string_view name) {
  for (auto line = head.find("\r\n"); line != std::string_view::npos; line = head.find("\r\n", line + 2)) {
    const auto rest = head.substr(line + 2);
    if (rest.size() <= name.size() || rest[name.size()] != ':') continue;
    const auto same = [](char wanted, char c) { return wanted == lower(c); };
    if (!std::equal(name.begin(), name.end(), rest.begin(), same)) continue;
    const auto value = rest.substr(name.size() + 1);
    return value.substr(0, value.find("\r\n"));
  }
  return std::nullopt;
}

/// 0 if it is not a number: the parser refuses it.
std::size_t length_in(std::string_view value) {
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  std::size_t length = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), length);
  return read.ec == std::errc::result_out_of_range ? kArriving : length;
}

}  // namespace

Arrival arrival_of_head(std::string_view received) {
  return received.find(kHeadEnd) == std::string_view::npos ? Arrival::part : Arrival::whole;
}

Arrival arrival_of_request(std::string_view received) {
  const auto end = received.find(kHeadEnd);
  if (end == std::string_view::npos) return Arrival::part;
  const auto head = received.substr(0, end);
  if (field_value(head, "transfer-encoding") || field_value(head, "expect")) return Arrival::slow;
  const auto length = field_value(head, "content-length");
  const auto body = length ? length_in(*length) : 0;
  const auto whole = end + kHeadEnd.size() + std::min(body, kArriving);
  if (received.size() >= whole && body < kArriving) return Arrival::whole;
  return whole > kArriving ? Arrival::slow : Arrival::head;
}

}  // namespace gray::control
