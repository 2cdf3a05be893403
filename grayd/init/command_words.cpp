#include "grayd/init/command_words.hpp"

#include <algorithm>
#include <cctype>

namespace gray::init {
namespace {

bool is_name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// The place of "=" in NAME=value; npos: it is no assignment.
std::size_t assignment_of(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == 0 || equals == word.npos || std::isdigit(static_cast<unsigned char>(word.front()))) return word.npos;
  return std::ranges::all_of(word.substr(0, equals), is_name_char) ? equals : word.npos;
}

struct Split {
  std::vector<std::string> words;
  bool plain = true, single = true;
};

Split split(std::string_view text) {
  Split out;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
      if (quote == '"' && (c == '$' || c == '`' || c == '\\')) out.plain = false;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t') {
      if (in_word) out.words.push_back(word);
      word.clear();
      in_word = false;
    } else {
      if (std::string_view("$`\\*?[]#~{}").find(c) != std::string_view::npos) out.plain = false;
      if (std::string_view("|&;<>()\n").find(c) != std::string_view::npos) out.plain = out.single = false;
      word += c;
      in_word = true;
    }
  }
  if (in_word) out.words.push_back(word);
  if (quote != 0) out.plain = out.single = false;
  return out;
}

}  // namespace

ShellText read_shell_text(std::string_view text) {
  Split parts = split(text);
  ShellText out;
  out.single = parts.single && !parts.words.empty() && assignment_of(parts.words.front()) == std::string_view::npos;
  if (!parts.plain) return out;
  std::size_t first = 0;
  for (; first < parts.words.size(); ++first) {
    const std::string& word = parts.words[first];
    const std::size_t equals = assignment_of(word);
    if (equals == word.npos) break;
    out.env[word.substr(0, equals)] = word.substr(equals + 1);
  }
  out.words.assign(parts.words.begin() + static_cast<std::ptrdiff_t>(first), parts.words.end());
  return out;
}

std::vector<std::string> shell_command(const std::string& text, bool single) {
  const bool again = text.starts_with("exec ");
  return {"sh", "-c", single && !again ? "exec " + text : text};
}

bool has_word(std::string_view text, std::string_view word) {
  const auto part = [](char c) { return is_name_char(c) || c == '-'; };
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !part(text[at - 1])) && (end == text.size() || !part(text[end]))) return true;
  }
  return false;
}

}  // namespace gray::init
