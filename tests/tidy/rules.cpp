#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "tests/tidy/source_text.hpp"

namespace gray::tidy {
namespace {

constexpr std::size_t kFileLines = 400, kTestFileLines = 700, kColumns = 120, kFunctionLines = 60;

/// A room and what its files may include beside their own; `tests` and `grayd` see everything.
struct Room {
  std::string_view folder;
  std::vector<std::string_view> below;
};

const std::vector<Room>& rooms() {
  static const std::vector<Room> all = {
      {"config", {}},
      {"supervisor", {"config"}},
      {"router/http", {"config"}},
      {"router/policy", {"router/http", "config"}},
      {"router/stats", {"config"}},
      {"router/upstream", {"router/policy", "router/http", "router/stats", "config"}},
      {"router/engine", {"config"}},
      {"router/proxy", {"router/engine", "router/upstream", "router/policy", "router/http", "router/stats", "config"}},
      {"control", {"config"}},
      {"workers", {}},
  };
  return all;
}

bool is_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

const Room* room_of(std::string_view path) {
  const auto found = std::ranges::find_if(rooms(), [&](const Room& room) { return is_in(path, room.folder); });
  return found == rooms().end() ? nullptr : &*found;
}

bool is_test(std::string_view path) { return is_in(path, "tests"); }

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// The path of `#include "PATH"` or `#include <PATH>`; empty for every other line.
std::string_view include_of(std::string_view line) {
  if (!line.starts_with("#include ")) return {};
  const std::size_t open = line.find_first_of("\"<"), close = line.find_last_of("\">");
  return open == std::string_view::npos || close <= open ? std::string_view{} : line.substr(open + 1, close - open - 1);
}

bool is_pure(std::string_view path) {
  for (const char* folder : {"router/http", "router/policy", "router/stats", "router/upstream"})
    if (is_in(path, folder)) return true;
  const std::string_view stem = name_of(path).substr(0, name_of(path).rfind('.'));
  return !is_test(path) && (stem.ends_with("_machine") || stem == "restart_policy" || stem == "version_group");
}

/// `time(` as a call of the C library; `x.time(` and `y->time(` are members of something else.
bool is_member_call(std::string_view code, std::size_t at) {
  return at > 0 && (code[at - 1] == '.' || (at > 1 && code[at - 1] == '>' && code[at - 2] == '-'));
}

struct Ban {
  std::string_view call, why;
  std::vector<std::string_view> except = {};  // folders or files that may
  std::string_view only_with = {};            // banned only in files that name this, too
};

const std::vector<Ban>& bans() {
  static const std::vector<Ban> all = {
      {"shared_from_this", "an owner is known here; pass a handle"},
      {"system(", "no shell; spawn by argument list"},
      {"popen(", "no shell; spawn by argument list"},
      {"sprintf(", "no bound; use snprintf or fmt"},
      {"vsprintf(", "no bound; use vsnprintf or fmt"},
      {"strcpy(", "no bound; use std::string or memcpy with a size"},
      {"strcat(", "no bound; use std::string"},
      {"rand(", "not seeded, shared; use <random> with a printed seed"},
      {".detach()", "a thread has an owner that joins it", {"workers"}, "std::thread"},
      {"std::async", "its future joins where nobody expects it; own a thread"},
      {"sleep_for", "wait for an event with a deadline", {"tests/support", "workers", "tests/bench"}},
      {"sleep_until", "wait for an event with a deadline", {"tests/support", "workers", "tests/bench"}},
      {"usleep(", "wait for an event with a deadline", {"tests/support", "workers", "tests/bench"}},
      {"sleep(", "wait for an event with a deadline", {"tests/support", "workers", "tests/bench"}},
      {"SO_REUSEPORT", "it splits the backlog by process and loses what a dead one held; share the listener"},
  };
  return all;
}

bool is_excepted(const Ban& ban, std::string_view path) {
  return std::ranges::any_of(ban.except, [&](std::string_view place) { return path == place || is_in(path, place); });
}

void find_call(const File& file, std::string_view code, const Ban& ban, Findings& findings) {
  for (std::size_t at = find_word(code, ban.call); at != std::string_view::npos;
       at = find_word(code, ban.call, at + 1)) {
    if (is_member_call(code, at)) continue;
    findings.push_back({file.path, line_of(code, at), std::string(ban.call) + " is banned: " + std::string(ban.why)});
  }
}

void check_one_include(const File& file, const Room& from, std::string_view include, std::size_t line, Findings& out) {
  const bool project = include.find('/') != std::string_view::npos &&
                       (room_of(include) || is_in(include, "grayd") || is_test(include) || is_in(include, "router"));
  if (!project || is_in(include, from.folder)) return;
  const bool below = std::ranges::any_of(from.below, [&](std::string_view folder) { return is_in(include, folder); });
  if (below) return;
  out.push_back({file.path, line, std::string(from.folder) + " may not include " + std::string(include)});
}

bool is_asio(std::string_view include) { return include == "asio.hpp" || include.starts_with("asio/"); }

void check_function_lengths(const File& file, Findings& findings) {
  for (const Function& function : functions_in(code_only(file.text)))
    if (function.lines > kFunctionLines)
      findings.push_back({file.path, function.line,
                          "function of " + std::to_string(function.lines) + " lines, " +
                              std::to_string(kFunctionLines) + " are allowed: which step in it has a name?"});
}

/// Columns, not bytes: a continuation byte of UTF-8 takes no room.
std::size_t columns_of(std::string_view line) {
  return static_cast<std::size_t>(std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

bool is_cpp(const File& file) { return file.path.ends_with(".hpp") || file.path.ends_with(".cpp"); }

Findings check_includes(const File& file) {
  Findings findings;
  const Room* from = room_of(file.path);
  if (!is_cpp(file) || !from) return findings;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(file.text)) {
    ++number;
    if (const std::string_view include = include_of(line); !include.empty())
      check_one_include(file, *from, include, number, findings);
  }
  return findings;
}

Findings check_pure(const File& file) {
  Findings findings;
  if (!is_cpp(file) || !is_pure(file.path)) return findings;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(file.text)) {
    ++number;
    if (is_asio(include_of(line))) findings.push_back({file.path, number, "a pure core includes no Asio"});
  }
  const std::string code = code_only(file.text);
  for (const char* call : {"::now(", "gettimeofday(", "clock_gettime(", "time("})
    find_call(file, code, {call, "a pure core is handed `now`"}, findings);
  return findings;
}

Findings check_banned_calls(const File& file) {
  Findings findings;
  if (!is_cpp(file)) return findings;
  const std::string code = code_only(file.text);
  for (const Ban& ban : bans())
    if (!is_excepted(ban, file.path) && code.find(ban.only_with) != std::string::npos)
      find_call(file, code, ban, findings);
  return findings;
}

Findings check_lengths(const File& file) {
  Findings findings;
  const std::vector<std::string_view> lines = lines_of(file.text);
  const std::size_t allowed = is_test(file.path) ? kTestFileLines : kFileLines;
  if (lines.size() > allowed)
    findings.push_back({file.path, 0,
                        std::to_string(lines.size()) + " lines, " + std::to_string(allowed) +
                            " are allowed: which two nouns live here?"});
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (const std::size_t columns = columns_of(lines[i]); columns > kColumns)
      findings.push_back(
          {file.path, i + 1, std::to_string(columns) + " columns, " + std::to_string(kColumns) + " are allowed"});
  if (is_cpp(file)) check_function_lengths(file, findings);
  return findings;
}

Findings check_habits(const File& file) {
  Findings findings;
  if (file.path.ends_with(".hpp") && !file.text.starts_with("#pragma once\n"))
    findings.push_back({file.path, 1, "a header begins with #pragma once"});
  for (const std::string_view word : {"TO"
                                      "DO",
                                      "FIX"
                                      "ME"})
    for (std::size_t at = find_word(file.text, word); at != std::string::npos; at = find_word(file.text, word, at + 1))
      findings.push_back({file.path, line_of(file.text, at), std::string(word) + ": do it now or leave it out"});
  return findings;
}

Findings check_has_test(const File& file, const std::set<std::string>& paths) {
  // What only wires parts together is covered from outside, by tests/integration.
  constexpr std::array<std::string_view, 3> kTestedFromOutside = {"grayd/main.cpp", "control/grayctl/main.cpp",
                                                                  "workers/faulty.cpp"};
  const bool room = room_of(file.path) || is_in(file.path, "grayd");
  if (!room || !file.path.ends_with(".cpp") || std::ranges::count(kTestedFromOutside, file.path)) return {};
  const std::string stem = file.path.substr(0, file.path.size() - 4);
  const std::string beside = "tests/" + stem + "_test.cpp";
  std::string above = stem.substr(0, stem.rfind('/'));  // grayctl's tests stand in tests/control
  above = "tests/" + above.substr(0, above.rfind('/')) + stem.substr(stem.rfind('/')) + "_test.cpp";
  if (paths.contains(beside) || paths.contains(above)) return {};
  return {{file.path, 0, "has no test of its name, " + beside}};
}

}  // namespace gray::tidy
