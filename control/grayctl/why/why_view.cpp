#include "control/grayctl/why/why_view.hpp"

#include <fmt/format.h>

#include "control/grayctl/table.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr std::size_t kLabelWidth = 9;  // "identity" and a space
constexpr std::pair<std::string_view, std::string_view> kAscii[] = {{"→", "->"}, {"≥", ">="}, {"…", "..."}};

/// "  label     text", continued under the text.
void add_row(std::string& view, std::string_view label, std::string_view text, const Terminal& terminal) {
  const std::size_t indent = 2 + kLabelWidth + 1;
  bool first = true;
  for (const std::string& line : wrap(text, terminal.width - indent)) {
    view += first ? "  " + paint(fmt::format("{:<{}}", label, kLabelWidth), Colour::faint, terminal.colour) + " "
                  : std::string(indent, ' ');
    view += line + "\n";
    first = false;
  }
}

std::string milliseconds(const json& line, const char* name) {
  return fmt::format("{:.1f} ms", static_cast<double>(line.value(name, std::uint64_t{0})) / 1000);
}

/// What the log has beside the decision.
void add_outcome(std::string& view, const json& line, const Terminal& terminal) {
  std::string answer = fmt::format("{}", line.value("status", 0));
  if (const auto reason = line.value("reason", ""); !reason.empty()) answer += " " + reason;
  if (const auto worker = line.value("worker", ""); !worker.empty()) answer += " by " + worker;
  answer +=
      fmt::format(", {} bytes in {}", line.value("bytes_out", std::uint64_t{0}), milliseconds(line, "duration_us"));
  if (line.value("queued_us", std::uint64_t{0}) > 0)
    answer += fmt::format(", {} in the queue", milliseconds(line, "queued_us"));
  if (const auto retries = line.value("retries", 0); retries > 0)
    answer += fmt::format(", {} {}", retries, retries == 1 ? "retry" : "retries");
  add_row(view, "answer", answer, terminal);
  if (line.contains("fault"))
    add_row(view, "fault",
            fmt::format("the {} side broke rule {} at offset {}", line.value("fault_side", ""), line.value("fault", ""),
                        line.value("offset", 0)),
            terminal);
}

std::string request_text(const json& request) {
  std::string text =
      fmt::format("{} {}{}", request.value("method", ""), request.value("host", ""), request.value("path", ""));
  if (const auto client = request.value("client", ""); !client.empty()) text += " from " + client;
  if (const auto time = request.value("time", ""); !time.empty()) text += " at " + time;
  return text;
}

}  // namespace

std::string shown_on(const Terminal& terminal, std::string_view text) {
  std::string shown(text);
  if (terminal.utf8) return shown;
  for (const auto& [sign, ascii] : kAscii)
    for (std::size_t at = shown.find(sign); at != std::string::npos; at = shown.find(sign, at + ascii.size()))
      shown.replace(at, sign.size(), ascii);
  return shown;
}

std::string view_why(const json& answer, const Terminal& terminal) {
  std::string view;
  for (const std::string& line : wrap(answer.value("text", ""), terminal.width))
    view += paint(line, Colour::bold, terminal.colour) + "\n";
  view += "\n";
  if (answer.contains("request")) add_row(view, "request", request_text(answer["request"]), terminal);
  const bool logged = answer.contains("logged");
  if (logged) add_outcome(view, answer["logged"], terminal);
  if (const auto service = answer.value("service", ""); !service.empty())
    add_row(view, "service", fmt::format("{}, routing table {}", service, answer.value("table", std::uint64_t{0})),
            terminal);
  for (const json& step : answer.value("steps", json::array()))
    add_row(view, step.value("label", ""), step.value("text", ""), terminal);
  if (answer.value("asset", false))
    add_row(view, "file", "a file of a page: if this version does not have it, the others are asked", terminal);
  if (answer.contains("replay")) add_row(view, "replay", answer["replay"].value("text", ""), terminal);
  return shown_on(terminal, view);
}

}  // namespace gray::control
