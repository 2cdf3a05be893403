#include "grayd/init/findings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/base/printable.hpp"

namespace gray::init {
namespace {

using Level = Finding::Level;
using End = Observation::End;

std::string seconds(Duration time) { return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1'000); }

std::string ports_text(const std::vector<OpenPort>& ports) {
  std::vector<std::uint16_t> numbers;
  for (const OpenPort& port : ports)
    if (std::ranges::count(numbers, port.port) == 0) numbers.push_back(port.port);
  return fmt::format("port{} {}", numbers.size() == 1 ? "" : "s", fmt::join(numbers, ", "));
}

bool is_on_given(const Observation& seen) { return std::ranges::count(seen.ports, seen.given, &OpenPort::port) > 0; }

std::string how_to_take_port(const Plan& plan) {
  return plan.port == PortFrom::argument
             ? R"(the command in the file must pass "$PORT" and "$HOST" to it)"
             : "let it listen on PORT and HOST of its environment, or pass them as arguments: "
               R"(command = ["sh", "-c", 'exec PROGRAM --port "$PORT"'])";
}

void add_port(const Observation& seen, const Plan& plan, std::vector<Finding>& out) {
  if (is_on_given(seen)) {
    out.push_back({Level::ok, fmt::format("it listens on port {}, which grayd gave it", seen.given)});
  } else if (!seen.ports.empty()) {
    out.push_back({Level::fix, fmt::format("it listens on {}, but grayd gave it {}: {}", ports_text(seen.ports),
                                           seen.given, how_to_take_port(plan))});
  } else if (seen.end == End::time_up && seen.last_exit.empty()) {
    out.push_back({Level::fix, fmt::format("it listens on no port after {}, grayd gave it {}: {}", seconds(seen.took),
                                           seen.given, how_to_take_port(plan))});
  }
}

void add_everywhere(const Observation& seen, std::vector<Finding>& out) {
  std::vector<OpenPort> open;
  std::ranges::copy_if(seen.ports, std::back_inserter(open), &OpenPort::everywhere);
  if (open.empty()) return;
  out.push_back(
      {Level::fix, fmt::format("it listens on every interface ({}), but only grayd needs it: others can reach "
                               "it without grayd; let it listen on HOST of its environment (127.0.0.1)",
                               ports_text(open))});
}

void add_ready(const Observation& seen, std::vector<Finding>& out) {
  if (seen.ready_by.empty()) return;
  out.push_back({Level::ok, fmt::format("ready after {}, by {}", seconds(seen.ready_after), seen.ready_by)});
  if (seen.ready_by == "tcp" || seen.ready_by == "http")
    out.push_back({Level::hint, "it sent no ready message: with one a start is faster by up to 1 s (docs/workers.md)"});
}

void add_answer(const Observation& seen, std::vector<Finding>& out) {
  if (seen.status == 0) return;
  const std::string answer = fmt::format("GET / was answered {}", seen.status);
  if (!seen.gray_reason.empty()) {
    out.push_back({Level::fix, fmt::format("GET / got no HTTP answer from it ({}, {}): does it speak HTTP/1.1 on this "
                                           "port?",
                                           seen.status, seen.gray_reason)});
  } else if (seen.status >= 500) {
    out.push_back({Level::fix, answer + ": its output tells why"});
  } else if (seen.status >= 400) {
    out.push_back({Level::hint, answer + ": for a health check by HTTP, set health.path to a path that answers 200"});
  } else {
    out.push_back({Level::ok, answer});
    out.push_back({Level::hint, R"(for a health check by HTTP, remove "# " before health in the file)"});
  }
}

/// Without the names, of which there is only one, and the lines, which are shown below.
std::string short_cause(std::string cause) {
  if (const std::size_t lines = cause.find("; its last lines:"); lines != cause.npos) cause.resize(lines);
  const std::size_t worker = cause.starts_with("service ") ? cause.find("#0: ") : cause.npos;
  return worker == cause.npos ? cause : cause.substr(worker + 4);
}

/// Mistakes of which the remedy is known by the exit code or by the words of most languages.
void add_known_mistakes(const Observation& seen, std::vector<Finding>& out) {
  if (seen.cause.find("(exit 127)") != std::string::npos)
    out.push_back({Level::fix,
                   "127 is the shell's code for a program that is not there: install it, or write its path in "
                   "command of the file"});
  const auto is_in_use = [](const std::string& line) {
    return line.find("EADDRINUSE") != line.npos || line.find("ddress already in use") != line.npos;
  };
  if (std::ranges::any_of(seen.last_lines, is_in_use))
    out.push_back({Level::fix, fmt::format("another program has the port that it wants, which is not the one of grayd "
                                           "if it is not {}: let it listen on PORT and HOST of its environment",
                                           seen.given)});
}

void add_end(const Observation& seen, std::vector<Finding>& out) {
  switch (seen.end) {
    case End::failed: out.push_back({Level::fix, "it did not become healthy: " + short_cause(seen.cause)}); return;
    case End::time_up: {
      std::string why = seen.cause.empty() ? seen.last_exit : short_cause(seen.cause);
      out.push_back(
          {Level::fix, fmt::format("it was not healthy within {}{}; if it needs longer: remove the file, then "
                                   "grayd init --timeout 60s",
                                   seconds(seen.took), why.empty() ? "" : " (" + why + ")")});
      return;
    }
    case End::interrupted: out.push_back({Level::hint, "interrupted"}); return;
    case End::no_grayd: out.push_back({Level::fix, "grayd itself ended: " + seen.cause}); return;
    case End::elsewhere:
    case End::healthy:
    case End::running: return;
  }
}

const char* word(Level level) { return level == Level::ok ? "ok" : level == Level::hint ? "hint" : "fix"; }

constexpr std::size_t kWidth = 112, kIndent = 8;

std::string wrapped(const std::string& text) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::size_t size = end - at;
    if (column > 0 && column + 1 + size > kWidth) {
      out += "\n" + std::string(kIndent, ' ');
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out.append(text, at, size);
    column += size;
    at = end + 1;
  }
  return out;
}

}  // namespace

std::vector<Finding> findings_of(const Observation& seen, const Plan& plan) {
  std::vector<Finding> out;
  add_end(seen, out);
  if (seen.end != End::healthy) add_known_mistakes(seen, out);
  add_port(seen, plan, out);
  add_everywhere(seen, out);
  add_ready(seen, out);
  add_answer(seen, out);
  return out;
}

std::string report_of(const Observation& seen, const Plan& plan) {
  std::string text;
  for (const Finding& finding : findings_of(seen, plan)) {
    std::string line = finding.text;
    make_printable(line, '?');
    text += fmt::format("  {:<6}{}\n", word(finding.level), wrapped(line));
  }
  const bool wanted = seen.end != End::healthy || seen.status >= 500;
  if (!wanted || seen.last_lines.empty()) return text;
  text += "        its last lines:\n";
  for (std::string line : seen.last_lines) {
    make_printable(line, '?');
    text += fmt::format("        | {}\n", line);
  }
  return text;
}

}  // namespace gray::init
