#include "control/grayctl/table.hpp"

#include <algorithm>
#include <numeric>

#include "config/base/printable.hpp"

namespace gray::control {
namespace {

constexpr std::size_t kWideGap = 2;

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }  // inside a UTF-8 character

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) { return !continues(byte); }));
}

/// The first `count` characters of `text`.
std::string_view first(std::string_view text, std::size_t count) {
  std::size_t bytes = 0;
  while (bytes < text.size() && (count > 0 || continues(text[bytes]))) {
    if (!continues(text[bytes])) --count;
    ++bytes;
    while (bytes < text.size() && continues(text[bytes])) ++bytes;
  }
  return text.substr(0, bytes);
}

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::bold: return "\x1b[1m";
    case Colour::good: return "\x1b[32m";
    case Colour::doubtful: return "\x1b[33m";
    case Colour::bad: return "\x1b[31m";
    case Colour::faint: return "\x1b[2m";
    case Colour::none: break;
  }
  return "";
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string clean(text);
  make_printable(clean, ' ');
  return clean;
}

std::string cut(std::string_view text, std::size_t width) {
  std::string clean = harmless(text);
  if (width_of(clean) <= width) return clean;
  return width == 0 ? "" : std::string(first(clean, width - 1)) + "…";
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string rest = harmless(text);
  while (width_of(rest) > width) {
    std::string_view head = first(rest, width);
    std::size_t space = rest[head.size()] == ' ' ? head.size() : head.rfind(' ');
    std::size_t end = space == std::string_view::npos || space == 0 ? head.size() : space;
    lines.push_back(rest.substr(0, end));
    rest.erase(0, rest[end] == ' ' ? end + 1 : end);
  }
  lines.push_back(rest);
  return lines;
}

std::string paint(std::string_view text, Colour colour, bool colours) {
  if (!colours || colour == Colour::none) return std::string(text);
  return std::string(code_of(colour)).append(text).append("\x1b[0m");
}

void Table::add(Row row) { rows_.push_back(std::move(row)); }

std::vector<std::size_t> Table::fit(std::size_t width, std::size_t& gap) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(width_of(columns_[i].title));
    for (const Row& row : rows_) widths[i] = std::max(widths[i], width_of(row[i].text));
  }
  auto total = [&] { return std::accumulate(widths.begin(), widths.end(), indent_ + gap * (widths.size() - 1)); };
  gap = kWideGap;
  if (total() > width) gap = 1;
  auto spare = [&](std::size_t i) { return columns_[i].least != 0 && widths[i] > columns_[i].least ? widths[i] : 0; };
  while (total() > width) {
    std::size_t widest = 0;
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (spare(i) > spare(widest)) widest = i;
    if (spare(widest) == 0) break;
    --widths[widest];
  }
  return widths;
}

std::string Table::line(const Row& row, const std::vector<std::size_t>& widths, std::size_t gap, bool colour) const {
  std::string text(indent_, ' ');
  std::size_t owed = 0;  // pending spaces, written only if text follows
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::string cell = cut(row[i].text, widths[i]);
    std::size_t padding = widths[i] - width_of(cell);
    if (cell.empty()) {
      owed += widths[i] + gap;
      continue;
    }
    text.append(owed + (columns_[i].right ? padding : 0), ' ').append(paint(cell, row[i].colour, colour));
    owed = gap + (columns_[i].right ? 0 : padding);
  }
  return text;
}

std::vector<std::string> Table::lines(const Terminal& terminal) const {
  std::size_t gap = 0;
  std::vector<std::size_t> widths = fit(terminal.width, gap);
  Row titles;
  for (const Column& column : columns_) titles.emplace_back(column.title, Colour::bold);
  std::vector<std::string> lines{line(titles, widths, gap, terminal.colour)};
  for (const Row& row : rows_) lines.push_back(line(row, widths, gap, terminal.colour));
  return lines;
}

}  // namespace gray::control
