#include "control/grayctl/history_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/grayctl/table.hpp"
#include "control/live/bad_event.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr std::size_t kKindWidth = 19;  // of the longest
constexpr std::size_t kWhoWidth = 10;
constexpr std::size_t kIndent = 6;      // of continuation lines
constexpr std::size_t kLeastText = 20;  // columns; with less room the text begins on the next line
constexpr std::size_t kWorkerWidth = 8;

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::uint64_t>() : 0;
}

/// "2026-11-23T17:04:45.123Z" as "11-23 17:04:45.123": short, and still UTC.
std::string moment(const json& object) {
  std::string time = text_of(object, "time");
  if (time.size() != 24) return time;
  return time.substr(5, 5) + " " + time.substr(11, 12);
}

/// The subject of an event: a worker, a version, a service, or a process of grayd.
std::string who(const json& event) {
  std::string worker = text_of(event, "worker"), service = text_of(event, "service");
  if (!worker.empty()) return worker;
  if (!service.empty()) return text_of(event, "version").empty() ? service : service + " " + text_of(event, "version");
  const std::string kind = text_of(event, "kind");
  const std::string part = kind.starts_with("router") || text_of(event, "cause") == "router" ? "router" : "grayd";
  return number_of(event, "pid") > 0 ? fmt::format("{} {}", part, number_of(event, "pid")) : part;
}

Colour colour_of_kind(std::string_view kind) {
  if (is_bad_event(kind)) return Colour::bad;
  if (kind == "worker-healthy" || kind == "version-restarted" || kind == "router-ready" || kind == "upgraded")
    return Colour::good;
  return kind == "worker-backoff" || kind == "worker-restarting" ? Colour::doubtful : Colour::none;
}

std::string note(std::string words, const Terminal& terminal) {
  return paint(words, Colour::faint, terminal.colour) + "\n";
}

}  // namespace

std::string view_event(const json& event, const Terminal& terminal) {
  const std::string kind = harmless(text_of(event, "kind"));
  const std::string begin = harmless(moment(event)) + "  ";
  const std::string rest = fmt::format("  {:<{}}  ", harmless(who(event)), kWhoWidth);
  const std::size_t used = begin.size() + std::max(kind.size(), kKindWidth) + rest.size();
  std::string line =
      begin + paint(fmt::format("{:<{}}", kind, kKindWidth), colour_of_kind(kind), terminal.colour) + rest;

  std::string words = harmless(text_of(event, "text"));
  if (used + kLeastText <= terminal.width || used + words.size() <= terminal.width) {
    const std::string first = wrap(words, terminal.width - used).front();
    line += first;
    words.erase(0, std::min(words.size(), first.size() + 1));
  }
  line.erase(line.find_last_not_of(' ') + 1);
  if (words.empty()) return line + "\n";
  for (const std::string& more : wrap(words, terminal.width - kIndent)) line += "\n" + std::string(kIndent, ' ') + more;
  return line + "\n";
}

std::string view_missing_events(const json& answer, std::uint64_t after, const Terminal& terminal) {
  const std::uint64_t oldest = number_of(answer, "oldest");
  if (after == 0 || oldest <= after + 1) return {};
  return note(fmt::format("({} events are missing: they came too fast to be kept)", oldest - after - 1), terminal);
}

std::string LogView::view(const json& line) {
  const std::string worker = harmless(text_of(line, "worker"));
  const std::uint64_t its_number = number_of(line, "number");
  std::uint64_t& seen = seen_[worker];
  std::string view;
  if (seen > 0 && its_number > seen + 1)
    view =
        note(fmt::format("({} lines of {} are missing: they came too fast to be kept)", its_number - seen - 1, worker),
             terminal_);
  seen = its_number;
  const bool is_error = text_of(line, "stream") == "stderr";
  view += fmt::format("{}  {:<{}}  {}  ", harmless(moment(line)), worker, kWorkerWidth,
                      paint(is_error ? "err" : "out", is_error ? Colour::doubtful : Colour::faint, terminal_.colour));
  view += harmless(text_of(line, "text"));
  if (line.value("cut", false)) view += "…";
  return view + "\n";
}

}  // namespace gray::control
