#include "supervisor/last_lines.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace gray::supervisor {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view without_indent(std::string_view line) {
  const auto begin = line.find_first_not_of(kBlanks);
  return begin == line.npos ? std::string_view() : line.substr(begin);
}

/// "    at f (app.js:3:7)" of Node and Java, "\tfrom app.rb:3" of Ruby, "\t... 12 more" of Java,
/// "\t/srv/app.go:3 +0x1d", "    ^^^^^", "Node.js v18.19.0".
bool is_stack(std::string_view line) {
  const std::string_view text = without_indent(line);
  if (line.starts_with("Node.js v") || text.find_first_not_of("^~ ") == text.npos) return true;
  if (text.size() == line.size()) return false;
  return text.starts_with("at ") || text.starts_with("from ") || text.starts_with("... ") ||
         text.find(".go:") != text.npos;
}

/// A word that ends in "error", "exception", "panic" or "fatal", in any case, and is followed by a colon.
bool names_error(std::string_view line) {
  constexpr std::string_view kWords[] = {"error", "exception", "panic", "fatal"};
  for (auto colon = line.find(':'); colon != line.npos; colon = line.find(':', colon + 1)) {
    const std::string_view before = line.substr(0, colon);
    for (const std::string_view word : kWords) {
      if (before.size() < word.size()) continue;
      const std::string_view end = before.substr(before.size() - word.size());
      const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
      if (std::equal(end.begin(), end.end(), word.begin(), same)) return true;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> last_lines(const std::vector<std::string>& lines, std::size_t most) {
  std::vector<std::string> kept;
  for (const std::string& line : lines)
    if (!without_indent(line).empty() && !is_stack(line)) kept.push_back(line);
  auto begin = kept.end() - static_cast<std::ptrdiff_t>(std::min(most, kept.size()));
  const auto error = std::find_if(kept.rbegin(), kept.rend(), names_error);
  if (error != kept.rend()) begin = std::min(begin, error.base() - 1);
  const auto end = begin + std::min(static_cast<std::ptrdiff_t>(most), kept.end() - begin);
  return {begin, end};
}

}  // namespace gray::supervisor
