#include "control/explain/logged_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "control/explain/logged_decision.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr std::size_t kOwnDigits = 32;

std::string sizes(std::uint64_t bytes) {
  return bytes < 1024 * 1024 ? fmt::format("{} bytes", bytes)
                             : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

/// Of an id that nobody gave but a client behind a trusted proxy, or a mistyped one; empty: grayd may have made it.
std::string foreign_form(std::string_view id) {
  const bool digits = std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (digits && id.size() == kOwnDigits) return {};
  const std::string wrong = id.size() != kOwnDigits
                                ? fmt::format("this one has {} character{}", id.size(), id.size() == 1 ? "" : "s")
                                : "this one has others";
  return fmt::format("; an id that grayd made has {} digits 0-9 a-f, {}", kOwnDigits, wrong);
}

Reply unreadable(const LogSearch& search) {
  if (search.error == ESPIPE)
    return refusal(ExitCode::failed, fmt::format("the access log {} is not a regular file, so it cannot be searched; "
                                                 "search where its lines go",
                                                 search.file));
  const bool denied = search.error == EACCES || search.error == EPERM;
  return refusal(denied ? ExitCode::denied : ExitCode::failed,
                 fmt::format("cannot read the access log {}: {}{}", search.file, std::strerror(search.error),
                             denied ? "; run grayctl why as a user who may" : ""));
}

Reply not_found(const LogSearch& search, const std::string& id, const std::string& file, const SearchBounds& bounds) {
  const std::string reach = search.oldest.empty() ? "" : fmt::format(", back to {}", search.oldest);
  const bool bound = search.end == LogSearch::End::bound;
  const bool wider = bound && bounds.bytes < SearchBounds::kMost;
  return refusal(
      ExitCode::failed,
      fmt::format("no request {} in {}{} ({} searched{}{}){}; a line is written up to 200 ms after its answer; {}", id,
                  file, bound ? "" : " and its predecessor", sizes(search.searched), reach,
                  bound ? ", then the search stops" : "", foreign_form(id),
                  wider ? "to search more, on the host: grayctl why REQUEST_ID"
                        : "for an older file: grayctl why REQUEST_ID --log FILE"));
}

}  // namespace

std::string error_in_request_id(std::string_view id) {
  const char* form = "an id of a request is in X-Request-Id of its answer and in the access log";
  if (id.empty()) return fmt::format("request_id is empty; {}", form);
  if (id.size() > kLongestRequestId)
    return fmt::format("request_id has {} characters, more than {}; {}", id.size(), kLongestRequestId, form);
  const auto plain = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7F; };
  if (!std::ranges::all_of(id, plain)) return fmt::format("request_id has a space or a control character; {}", form);
  return {};
}

Reply explain_logged(const LogSearch& search, const std::string& id, const std::string& file,
                     const SearchBounds& bounds) {
  if (search.end == LogSearch::End::failed) return unreadable(search);
  if (search.end != LogSearch::End::found) return not_found(search, id, file, bounds);
  LoggedDecision line;
  json logged = json::parse(search.line, nullptr, false);
  if (!line.read(search.line) || !logged.is_object())
    return refusal(ExitCode::failed, fmt::format("the line of this request in {} is damaged: {}", search.file,
                                                 search.line.substr(0, 200)));
  json body = json_of(explain_line(line));
  body["request"] = {{"method", line.method}, {"host", line.host}, {"path", line.path},
                     {"client", line.client}, {"time", line.time}, {"id", line.request_id}};
  std::string difference;
  const Replay again = decide_again(line, difference);
  body["replay"] = {{"result", name_of(again)},
                    {"text", again == Replay::same      ? "decided again from this line: the same"
                             : again == Replay::differs ? "decided again from this line: " + difference
                                                        : fmt::format("cannot be decided again: {}", name_of(again))}};
  body["logged"] = std::move(logged);
  body["file"] = search.file;
  if (again == Replay::no_service) body["text"] = fmt::format("not routed → {} {}", line.status, line.reason);
  return {ExitCode::ok, std::move(body), {}};
}

}  // namespace gray::control
