#include "router/http/traceparent.hpp"

#include <algorithm>

#include "router/http/characters.hpp"

namespace gray::http {

namespace {

constexpr std::size_t kTraceAt = 3, kSpanAt = kTraceAt + kTraceId + 1, kFlagsAt = kSpanAt + kSpanId + 1;

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '0'; });
}

bool is_id(std::string_view text) { return is_lower_hex(text) && !is_zero(text); }

}  // namespace

TraceParent read_traceparent(std::string_view value) {
  if (value.size() < kTraceParentText) return {};
  const std::string_view version = value.substr(0, 2), trace = value.substr(kTraceAt, kTraceId),
                         span = value.substr(kSpanAt, kSpanId), flags = value.substr(kFlagsAt, 2);
  const bool separated = value[kTraceAt - 1] == '-' && value[kSpanAt - 1] == '-' && value[kFlagsAt - 1] == '-';
  if (!separated || !is_lower_hex(version) || version == "ff" || !is_lower_hex(flags)) return {};
  if (!is_id(trace) || !is_id(span)) return {};
  const bool present = version == "00";
  if (value.size() > kTraceParentText && (present || value[kTraceParentText] != '-')) return {};
  if (present) return {trace, {flags[0], flags[1]}};
  const int digit = is_digit(flags[1]) ? flags[1] - '0' : flags[1] - 'a' + 10;
  return {trace, {'0', static_cast<char>('0' + (digit & 1))}};
}

void write_traceparent(const TraceParent& parent, std::string_view span, char* out) {
  const auto put = [&out](std::string_view text) { out = std::copy(text.begin(), text.end(), out); };
  put("00-");
  put(parent.trace_id);
  put("-");
  put(span);
  put("-");
  put({parent.flags.data(), parent.flags.size()});
}

}  // namespace gray::http
