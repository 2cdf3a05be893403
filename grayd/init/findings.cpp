#include "grayd/init/findings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/base/printable.hpp"
#include "grayd/init/remedies.hpp"

namespace gray::init {
namespace {

using Level = Finding::Level;
using End = Observation::End;

std::string seconds(Duration time) { return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1'000); }

bool is_on_given(const Observation& seen) { return has_port(seen.ports, seen.given); }

void add_port(const Observation& seen, const Plan& plan, std::vector<Finding>& out) {
  if (is_on_given(seen)) {
    out.push_back({Level::ok, fmt::format("it listens on port {}, which grayd gave it", seen.given)});
  } else if (!seen.ports.empty()) {
    out.push_back({Level::fix, elsewhere(seen.ports, seen.given) + ": " + how_to_take_port(plan.port)});
  } else if (seen.end == End::time_up && seen.last_exit.empty()) {
    out.push_back({Level::fix, fmt::format("it listens on no port after {}, grayd gave it {}: {}", seconds(seen.took),
                                           seen.given, how_to_take_port(plan.port))});
  }
}

void add_everywhere(const Observation& seen, std::vector<Finding>& out) {
  const std::vector<OpenPort> open = open_to_all(seen.ports);
  if (!open.empty()) out.push_back({Level::fix, everywhere(open) + "; " + kListenOnHost});
}

void add_ready(const Observation& seen, std::vector<Finding>& out) {
  if (seen.ready_by.empty()) return;
  out.push_back({Level::ok, fmt::format("ready after {}, by {}", seconds(seen.ready_after), seen.ready_by)});
  if (seen.ready_by == "tcp" || seen.ready_by == "http") out.push_back({Level::hint, kNoMessage});
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

void add_known_mistakes(const Observation& seen, std::vector<Finding>& out) {
  for (std::string& mistake : known_mistakes(seen.cause, seen.last_lines, seen.given))
    out.push_back({Level::fix, std::move(mistake)});
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

bool is_wrong(const Observation& seen) { return seen.end != End::healthy || seen.status >= 500; }

std::vector<Finding> findings_of(const Observation& seen, const Plan& plan) {
  std::vector<Finding> out;
  add_end(seen, out);
  if (is_wrong(seen)) add_known_mistakes(seen, out);
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
  if (!is_wrong(seen) || seen.last_lines.empty()) return text;
  text += "        its last lines:\n";
  for (std::string line : seen.last_lines) {
    make_printable(line, '?');
    text += fmt::format("        | {}\n", line);
  }
  return text;
}

}  // namespace gray::init
