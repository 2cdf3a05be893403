#include "tests/tidy/source_text.hpp"

#include <algorithm>
#include <cctype>

namespace gray::tidy {
namespace {

bool is_identifier(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)); }

void blank(std::string& out, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < std::min(to, out.size()); ++i)
    if (out[i] != '\n') out[i] = ' ';
}

std::size_t end_of(std::string_view text, std::string_view mark, std::size_t from) {
  const std::size_t at = text.find(mark, from);
  return at == std::string_view::npos ? text.size() : at + mark.size();
}

std::size_t end_of_literal(std::string_view text, std::size_t from) {
  std::size_t i = from + 1;
  while (i < text.size() && text[i] != text[from] && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
  return i + 1;
}

std::size_t end_of_raw_string(std::string_view text, std::size_t quote) {
  const std::size_t open = text.find('(', quote);
  if (open == std::string_view::npos) return text.size();
  return end_of(text, ")" + std::string(text.substr(quote + 1, open - quote - 1)) + "\"", open);
}

std::size_t end_of_directive(std::string_view text, std::size_t from) {
  std::size_t end = text.find('\n', from);
  while (end != std::string_view::npos && end > 0 && text[end - 1] == '\\') end = text.find('\n', end + 1);
  return std::min(end, text.size());
}

bool starts_line(std::string_view text, std::size_t at) {
  while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t')) --at;
  return at == 0 || text[at - 1] == '\n';
}

/// The end of the comment, literal or directive that starts at `i`; `i` itself if it is code.
std::size_t end_of_non_code(std::string_view text, std::size_t i) {
  const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : '\0';
  if (c == '/' && next == '/') return std::min(text.find('\n', i), text.size());
  if (c == '/' && next == '*') return end_of(text, "*/", i + 2);
  if (c == '#' && starts_line(text, i)) return end_of_directive(text, i);
  if (c == '"' && i > 0 && text[i - 1] == 'R') return end_of_raw_string(text, i);
  const bool digit_separator = c == '\'' && i > 0 && is_identifier(text[i - 1]);
  if (c == '"' || (c == '\'' && !digit_separator)) return end_of_literal(text, i);
  return i;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::size_t matching_brace(std::string_view code, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < code.size(); ++i) {
    if (code[i] == '{') ++depth;
    if (code[i] == '}' && --depth == 0) return i;
  }
  return code.size();
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = find_word(text, word); at != std::string_view::npos; at = find_word(text, word, at + 1)) {
    const std::size_t end = at + word.size();
    if (end == text.size() || !is_identifier(text[end])) return true;
  }
  return false;
}

/// Offset of the colon before a constructor's member initialisers, which follows the closing parenthesis.
std::size_t initialiser_colon(std::string_view head) {
  for (std::size_t i = head.find(')'); i < head.size() && i != std::string_view::npos; ++i) {
    const bool alone = head[i] == ':' && head[i - 1] != ':' && (i + 1 == head.size() || head[i + 1] != ':');
    if (alone && head.substr(0, i).find('?') == std::string_view::npos) return i;
  }
  return std::string_view::npos;
}

enum class Brace { scope, function, value };

/// The kind of a brace at namespace or class level, by the text since the last statement.
Brace kind_of(std::string_view head) {
  head = trim(head);
  const std::size_t paren = head.find('(');
  if (head.starts_with("TEST_SUITE")) return Brace::scope;
  if (!head.empty() && head.back() == ']') return Brace::function;  // a lambda that is called at once
  if (paren == std::string_view::npos) {
    const bool value = head.empty() || head.find('=') != std::string_view::npos;
    for (const char* word : {"namespace", "class", "struct", "union", "enum", "extern"})
      if (has_word(head, word) && !value) return word == std::string_view("enum") ? Brace::value : Brace::scope;
    return Brace::value;
  }
  const std::string_view before = trim(head.substr(0, paren));
  for (const char* word : {"class", "struct"})  // class alignas(64) Name
    if (has_word(before, word) && before.ends_with("alignas")) return Brace::scope;
  if (head.back() == '=') return Brace::value;
  const std::size_t colon = initialiser_colon(head);
  const bool member = colon != std::string_view::npos && (is_identifier(head.back()) || head.back() == '>');
  return member ? Brace::value : Brace::function;
}

/// The function whose text starts at or after `from` and ends with the brace at `close`.
Function extent(std::string_view code, std::size_t from, std::size_t close) {
  while (is_space(code[from])) ++from;
  return {line_of(code, from), line_of(code, close) - line_of(code, from) + 1};
}

}  // namespace

std::string code_only(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = end_of_non_code(text, i);
    const bool literal = end > i && (text[i] == '"' || text[i] == '\'');
    if (end > i) blank(out, i + (literal ? 1 : 0), end - (literal ? 1 : 0));
    i = std::max(end, i + 1);
  }
  return out;
}

std::vector<Function> functions_in(std::string_view code) {
  std::vector<Function> functions;
  std::size_t head = 0;  // where the text of the current declaration starts
  int parens = 0;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '(') ++parens;
    if (c == ')') --parens;
    if (c == '{') {
      const Brace kind = parens > 0 ? Brace::value : kind_of(code.substr(head, i - head));
      const std::size_t close = kind == Brace::scope ? i : matching_brace(code, i);
      if (kind == Brace::function) functions.push_back(extent(code, head, close));
      if (kind != Brace::value) head = close + 1;
      i = close;
    } else if ((c == ';' && parens == 0) || c == '}') {
      head = i + 1;
    }
  }
  return functions;
}

std::size_t find_word(std::string_view code, std::string_view word, std::size_t from) {
  std::size_t at = code.find(word, from);
  while (at != std::string_view::npos && at > 0 && is_identifier(word[0]) && is_identifier(code[at - 1]))
    at = code.find(word, at + 1);
  return at;
}

std::size_t line_of(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace gray::tidy
