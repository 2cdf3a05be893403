#include "config/base/diagnostics.hpp"

#include <algorithm>
#include <tuple>

namespace gray {
namespace {

/// Optimal string alignment: insert, remove, replace, or swap two neighbours, each at the cost of 1.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  return cost[a.size()][b.size()];
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }  // a character of UTF-8

/// Blank up to the column, with the tabs of the line, so that the caret is in the right place at any tab width. A
/// column is one character, not one byte.
std::string indent(std::string_view line, std::uint32_t column) {
  std::string blank;
  for (const char c : line) {
    if (continues(c)) continue;
    if (blank.size() + 1 >= column) break;
    blank += c == '\t' ? '\t' : ' ';
  }
  return blank;
}

/// The line and a caret below the column. Of a long line only the part around the column is shown.
std::string pointed_at(TextWalk& walk, std::string_view line, std::uint32_t column) {
  constexpr std::size_t kShown = 160, kBefore = 80;
  std::string_view before, after;
  if (line.size() > kShown) {
    const TextWalk::Spot spot = walk.spot(column);
    std::size_t begin = spot.byte - std::min(spot.byte, kBefore);
    while (begin > 0 && continues(line[begin])) --begin;
    std::size_t end = std::min(begin + kShown, line.size());
    while (end < line.size() && continues(line[end])) ++end;
    const auto shown =
        std::ranges::count_if(line.substr(begin, spot.byte - begin), [](char c) { return !continues(c); });
    column -= std::min(column, spot.characters - static_cast<std::uint32_t>(shown));
    before = begin > 0 ? "..." : "";
    after = end < line.size() ? "..." : "";
    line = line.substr(begin, end - begin);
  }
  const std::string margin(before.size(), ' ');
  return "  " + std::string(before) + std::string(line) + std::string(after) + "\n  " + margin + indent(line, column) +
         "^\n";
}

}  // namespace

std::string_view TextWalk::line(std::uint32_t number) {
  if (found_ && number == number_) return line_;
  for (; number_ < number; ++number_) {
    const std::size_t end = rest_.find('\n');
    const std::size_t passed = end == rest_.npos ? rest_.size() : end + 1;
    rest_.remove_prefix(passed);
    steps_ += passed;
    if (end == rest_.npos) break;  // and all later lines are empty, too
  }
  number_ = number;
  found_ = true;
  spot_ = {};
  line_ = rest_.substr(0, rest_.find('\n'));
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  return line_;
}

TextWalk::Spot TextWalk::spot(std::uint32_t column) {
  for (; spot_.byte < line_.size(); ++spot_.byte, ++steps_) {
    if (continues(line_[spot_.byte])) continue;
    if (spot_.characters + 1 >= column) break;
    ++spot_.characters;
  }
  return spot_;
}

std::string_view line_of(std::string_view text, std::uint32_t wanted) { return TextWalk(text).line(wanted); }

std::string render(std::string_view file, std::string_view text, std::vector<Diagnostic> diagnostics,
                   std::string_view level) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  std::string out;
  TextWalk walk(text);
  for (const Diagnostic& one : diagnostics) {
    out += file;
    if (one.line > 0) out += ":" + std::to_string(one.line) + ":" + std::to_string(one.column);
    out += ": " + std::string(level) + ": " + one.message + "\n";
    if (one.line == 0) continue;
    out += pointed_at(walk, walk.line(one.line), one.column);
  }
  return out;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t kFarthest = 2;
  std::size_t best = kFarthest + 1;
  std::string_view found;
  for (const std::string_view candidate : candidates) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    if (longer - std::min(word.size(), candidate.size()) > kFarthest) continue;
    const std::size_t away = distance(word, candidate);
    if (away >= best || away * 2 >= word.size()) continue;
    best = away;
    found = candidate;
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string_view near = nearest(word, candidates);
  return near.empty() ? std::string() : ", did you mean \"" + std::string(near) + "\"?";
}

}  // namespace gray
