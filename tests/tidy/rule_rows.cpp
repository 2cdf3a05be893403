#include "tests/tidy/rule_rows.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "tests/tidy/source_text.hpp"

namespace gray::tidy {
namespace {

/// P1 to P28 and P31: the other rules are about HTTP/2 and TLS.
std::vector<std::string> expected_rules() {
  std::vector<std::string> rules;
  for (int number = 1; number <= 28; ++number) rules.push_back("P" + std::to_string(number));
  rules.push_back("P31");
  return rules;
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  for (std::size_t at = 1; at < line.size();) {
    const std::size_t end = std::min(line.find(" |", at), line.size());
    cells.emplace_back(line.substr(at, end - at));
    at = end + 2;
  }
  return cells;
}

bool is_rule(const std::string& cell) {
  return cell.size() > 2 && cell.starts_with(" P") && cell[2] >= '0' && cell[2] <= '9';
}

/// The row of a rule, or of anything else that names its tests.
bool is_row(const std::vector<std::string>& cells) {
  return cells.size() >= 3 && (is_rule(cells[0]) || cells[2].find("_test.") != std::string::npos);
}

const File* named(const std::vector<File>& tests, const std::string& name) {
  const auto is_it = [&](const File& file) { return ("/" + file.path).ends_with("/" + name); };
  const auto found = std::ranges::find_if(tests, is_it);
  return found == tests.end() ? nullptr : &*found;
}

bool holds(const File& file, const std::string& title) {
  return file.text.find("\"" + title + "\"") != std::string::npos ||
         file.text.find("def " + title + "(") != std::string::npos;
}

/// Walks `file` "title" "title" `file` ...
struct TestCell {
  const std::vector<File>& tests;
  std::vector<std::string> problems;
  std::size_t titles = 0;
  const File* file = nullptr;

  void take(char mark, const std::string& text) {
    if (mark == '`') {
      file = named(tests, text);
      if (file == nullptr) problems.push_back("no test file " + text);
      return;
    }
    ++titles;
    if (file != nullptr && !holds(*file, text)) problems.push_back(file->path + " has no test \"" + text + "\"");
  }
  void read(const std::string& cell) {
    for (std::size_t at = 0; (at = cell.find_first_of("`\"", at)) != std::string::npos;) {
      const std::size_t end = cell.find(cell[at], at + 1);
      if (end == std::string::npos) break;
      take(cell[at], cell.substr(at + 1, end - at - 1));
      at = end + 1;
    }
    if (titles == 0) problems.push_back("the row names no test");
  }
};

}  // namespace

Findings check_rule_rows(const File& document, const std::vector<File>& tests) {
  Findings findings;
  std::set<std::string> seen;
  const auto lines = lines_of(document.text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto cells = cells_of(lines[i]);
    if (!is_row(cells)) continue;
    seen.insert(cells[0].substr(1));
    TestCell cell{tests, {}};
    cell.read(cells[2]);
    for (const auto& problem : cell.problems) findings.push_back({document.path, i + 1, problem});
  }
  for (const auto& rule : expected_rules()) {
    if (!seen.contains(rule)) findings.push_back({document.path, 0, "rule " + rule + " has no row"});
  }
  return findings;
}

}  // namespace gray::tidy
