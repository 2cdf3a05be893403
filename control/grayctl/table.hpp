#pragma once
// Rows of cells as lines of a given width. Columns are as wide as their widest cell. If a line is too long, first the
// gaps shrink, then the widest shrinkable columns, whose cells are cut and end with an ellipsis. Control characters are
// removed, because a cell may hold output of a worker. Pure.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

enum class Colour { none, bold, good, doubtful, bad, faint };

struct Cell {
  Cell(std::string words, Colour paint = Colour::none) : text(std::move(words)), colour(paint) {}
  Cell(const char* words, Colour paint = Colour::none) : Cell(std::string(words), paint) {}
  std::string text;
  Colour colour;
};
using Row = std::vector<Cell>;

struct Column {
  const char* title;
  std::size_t least = 0;  // least width when it shrinks; 0: never shrinks
  bool right = false;     // right-aligned, for numbers
};

class Table {
 public:
  Table(std::vector<Column> columns, std::size_t indent) : columns_(std::move(columns)), indent_(indent) {}
  void add(Row row);  // one cell for each column
  std::size_t size() const { return rows_.size(); }
  /// The titles, then one line for each row, without line ends and without spaces at the end.
  std::vector<std::string> lines(const Terminal& terminal) const;

 private:
  std::vector<std::size_t> fit(std::size_t width, std::size_t& gap) const;
  std::string line(const Row& row, const std::vector<std::size_t>& widths, std::size_t gap, bool colour) const;

  std::vector<Column> columns_;
  std::size_t indent_;
  std::vector<Row> rows_;
};

/// `text` with a space for each byte of a control character, see config/base/printable.hpp.
std::string harmless(std::string_view text);
/// At most `width` characters of `text`, the last one an ellipsis if it was longer.
std::string cut(std::string_view text, std::size_t width);
/// `text` in lines of at most `width` characters, broken at spaces where possible.
std::vector<std::string> wrap(std::string_view text, std::size_t width);
/// `text` in its colour, if there are colours.
std::string paint(std::string_view text, Colour colour, bool colours);

}  // namespace gray::control
