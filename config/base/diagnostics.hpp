#pragma once
// Errors in a text: what is wrong, where, and what was probably meant. All errors of a file are collected; the first
// one does not end the check.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gray {

struct Diagnostic {
  std::uint32_t line = 0;  // 1-based; 0: the file as a whole
  std::uint32_t column = 0;
  std::string message;
  bool operator==(const Diagnostic&) const = default;
};

/// A line of a text without its end, 1-based; empty if there is no such line.
std::string_view line_of(std::string_view text, std::uint32_t line);

/// Positions of a text, asked for in rising order: all of them together cost one pass over it.
class TextWalk {
 public:
  explicit TextWalk(std::string_view text) : rest_(text) {}
  /// Not below the last one; the empty text: there is no such line.
  std::string_view line(std::uint32_t number);
  struct Spot {
    std::size_t byte = 0;          // of the line; its size: the column is behind its end
    std::uint32_t characters = 0;  // before it
  };
  /// In the last line. A column is one character, not one byte.
  Spot spot(std::uint32_t column);
  /// Bytes that were passed.
  std::size_t steps() const { return steps_; }

 private:
  std::string_view rest_;  // from the begin of the line
  std::string_view line_;  // without its end
  std::uint32_t number_ = 1;
  bool found_ = false;  // line_ is that of number_
  Spot spot_;
  std::size_t steps_ = 0;
};

/// "FILE:LINE:COL: LEVEL: MESSAGE", the source line (of a long one the part around the column), and a caret under the
/// column; one block per diagnostic, by position.
std::string render(std::string_view file, std::string_view text, std::vector<Diagnostic> diagnostics,
                   std::string_view level = "error");

/// The candidate nearest to `word` by Damerau-Levenshtein distance, if it is near enough to be a typing mistake
/// (distance at most 2, and less than half of the word); empty otherwise.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// `, did you mean "NEAREST"?`, or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace gray
