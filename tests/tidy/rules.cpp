#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "tests/tidy/rooms.hpp"
#include "tests/tidy/source_text.hpp"

namespace gray::tidy {
namespace {

constexpr std::size_t kFileLines = 400, kTestFileLines = 700, kColumns = 120, kFunctionLines = 60, kRoomFiles = 35;

bool is_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

const Room* find_room(const std::vector<Room>& all, std::string_view folder) {
  const auto found = std::ranges::find(all, folder, &Room::folder);
  return found == all.end() ? nullptr : &*found;
}

/// The room of a file of the product.
const Room* room_of(std::string_view path) { return find_room(kRooms, folder_of(path)); }

bool is_test(std::string_view path) { return is_in(path, "tests"); }

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// The path of `#include "PATH"` or `#include <PATH>`; empty for every other line.
std::string_view include_of(std::string_view line) {
  if (!line.starts_with("#include ")) return {};
  const std::size_t open = line.find_first_of("\"<"), close = line.find_last_of("\">");
  return open == std::string_view::npos || close <= open ? std::string_view{} : line.substr(open + 1, close - open - 1);
}

bool is_pure(std::string_view path) {
  for (const char* folder :
       {"router/http", "router/wire", "router/targeting", "router/policy", "router/stats", "router/upstream"})
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
  std::vector<std::string_view> except = {};  // folders or files where it is allowed
  std::string_view only_with = {};            // banned only in files that also contain this
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
      {"std::async", "its future joins unexpectedly; own a thread"},
      {"sleep_for", "wait for an event with a deadline", {"tests/support", "workers", "tests/bench"}},
      {"sleep_until", "wait for an event with a deadline", {"tests/support", "workers", "tests/bench"}},
      {"usleep(", "wait for an event with a deadline", {"tests/support", "workers", "tests/bench"}},
      {"sleep(", "wait for an event with a deadline", {"tests/support", "workers", "tests/bench"}},
      {"SO_REUSEPORT", "it splits the backlog by process and loses the connections of a dead one; share the listener"},
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

bool lists(const Room* room, std::string_view include) {
  return room && std::ranges::any_of(room->below, [&](std::string_view entry) {
           return entry == include || entry == folder_of(include);
         });
}

/// tests/PART may include PART and its includes, the tests of all these, tests/support, and its own folder.
bool test_may_include(std::string_view from, std::string_view include) {
  const std::string_view folder = folder_of(include);
  if (lists(find_room(kTestRooms, from), include)) return true;
  const Room* part = find_room(kRooms, from.substr(std::string_view("tests/").size()));
  if (!part) return false;
  const std::string_view target = is_test(include) ? include.substr(std::string_view("tests/").size()) : include;
  return folder_of(target) == part->folder || lists(part, target) || folder == "tests/support" ||
         folder == folder_of(from);
}

bool is_of_project(std::string_view include) {
  constexpr std::array<std::string_view, 7> kTops = {"config", "supervisor", "router", "control",
                                                     "grayd",  "workers",    "tests"};
  return std::ranges::any_of(kTops, [&](std::string_view top) { return is_in(include, top); });
}

bool may_include(std::string_view from, std::string_view include) {
  if (folder_of(include) == from) return true;
  return is_in(from, "tests") ? test_may_include(from, include) : lists(find_room(kRooms, from), include);
}

bool has_room(std::string_view folder) {
  if (find_room(kRooms, folder) || find_room(kTestRooms, folder)) return true;
  return is_in(folder, "tests") && find_room(kRooms, folder.substr(std::string_view("tests/").size()));
}

using Arrows = std::map<std::string_view, std::set<std::string_view>>;

/// Removes files that lead to no cycle, repeatedly; the remaining ones lead to one.
Findings leading_to_cycles(Arrows arrows, const char* message) {
  const auto leads_nowhere = [&](const auto& entry) {
    return std::ranges::none_of(entry.second, [&](std::string_view target) { return arrows.contains(target); });
  };
  while (std::erase_if(arrows, leads_nowhere) > 0) {
  }
  Findings findings;
  for (const auto& entry : arrows) findings.push_back({std::string(entry.first), 0, message});
  return findings;
}

bool is_asio(std::string_view include) { return include == "asio.hpp" || include.starts_with("asio/"); }

void check_function_lengths(const File& file, Findings& findings) {
  for (const Function& function : functions_in(code_only(file.text)))
    if (function.lines > kFunctionLines)
      findings.push_back({file.path, function.line,
                          "function of " + std::to_string(function.lines) + " lines, " +
                              std::to_string(kFunctionLines) + " are allowed: move a step into a function"});
}

/// Columns, not bytes: a continuation byte of UTF-8 has no width.
std::size_t columns_of(std::string_view line) {
  return static_cast<std::size_t>(std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

bool is_cpp(const File& file) { return file.path.ends_with(".hpp") || file.path.ends_with(".cpp"); }

Findings check_includes(const File& file) {
  Findings findings;
  if (!is_cpp(file)) return findings;
  const std::string_view from = folder_of(file.path);
  if (!has_room(from)) return {{file.path, 0, std::string(from) + " has no row in the include matrix of tests/tidy"}};
  std::size_t number = 0;
  for (const std::string_view line : lines_of(file.text)) {
    ++number;
    const std::string_view include = include_of(line);
    if (is_of_project(include) && !may_include(from, include))
      findings.push_back({file.path, number, std::string(from) + " may not include " + std::string(include)});
  }
  return findings;
}

Findings check_cycles(const std::vector<File>& files) {
  Arrows includes;
  for (const File& file : files) {
    if (!is_cpp(file)) continue;
    for (const std::string_view line : lines_of(file.text))
      if (const std::string_view include = include_of(line); is_of_project(include))
        includes[file.path].insert(include);
  }
  return leading_to_cycles(std::move(includes), "its includes form a cycle");
}

Findings check_room_order() {
  Arrows arrows;
  for (const Room& room : kRooms)
    for (const std::string_view entry : room.below)
      if (!entry.ends_with(".hpp")) arrows[room.folder].insert(entry);
  return leading_to_cycles(std::move(arrows), "its row forms a cycle");
}

Findings check_room_sizes(const std::vector<File>& files) {
  std::map<std::string_view, std::size_t> sizes;
  for (const File& file : files)
    if (is_cpp(file)) ++sizes[folder_of(file.path)];
  Findings findings;
  for (const auto& [folder, size] : sizes)
    if (size > kRoomFiles)
      findings.push_back({std::string(folder), 0,
                          std::to_string(size) + " files, " + std::to_string(kRoomFiles) +
                              " are allowed: move related files into a folder"});
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
    find_call(file, code, {call, "a pure core gets `now` as an argument"}, findings);
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
    findings.push_back(
        {file.path, 0,
         std::to_string(lines.size()) + " lines, " + std::to_string(allowed) + " are allowed: split it by topic"});
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
  // Files that only connect parts are tested from outside, by tests/integration.
  constexpr std::array<std::string_view, 4> kTestedFromOutside = {"grayd/main.cpp", "control/grayctl/main.cpp",
                                                                  "workers/faulty.cpp", "workers/hint_page.cpp"};
  const bool room = room_of(file.path) != nullptr;
  if (!room || !file.path.ends_with(".cpp") || std::ranges::count(kTestedFromOutside, file.path)) return {};
  const std::string stem = file.path.substr(0, file.path.size() - 4);
  const std::string beside = "tests/" + stem + "_test.cpp";
  std::string above = stem.substr(0, stem.rfind('/'));  // grayctl's tests are in tests/control
  above = "tests/" + above.substr(0, above.rfind('/')) + stem.substr(stem.rfind('/')) + "_test.cpp";
  if (paths.contains(beside) || paths.contains(above)) return {};
  return {{file.path, 0, "has no test with its name, " + beside}};
}

}  // namespace gray::tidy
