#pragma once
// C++ text prepared for the rules: without comments and literals, and cut into functions. Not a parser: it relies on
// the layout of this project (balanced braces, no macros that open a scope).
#include <string>
#include <string_view>
#include <vector>

namespace gray::tidy {

/// The same text, same length and lines, with comments, literals and preprocessor lines blanked out.
std::string code_only(std::string_view text);

struct Function {
  std::size_t line = 0;   // 1-based, of its first token
  std::size_t lines = 0;  // through the closing brace
};
/// The function definitions in blanked text. A lambda or local class counts as part of the function around it.
std::vector<Function> functions_in(std::string_view code);

/// Offset of `word` at or after `from` where it is not the end of a longer identifier; npos if there is none.
std::size_t find_word(std::string_view code, std::string_view word, std::size_t from = 0);

std::size_t line_of(std::string_view text, std::size_t offset);
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace gray::tidy
