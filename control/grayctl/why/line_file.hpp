#pragma once
// A text file, or standard input, line by line, at a bounded cost in memory.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/base/unique_fd.hpp"

namespace gray::control {

class LineFile {
 public:
  static constexpr std::size_t kMostLine = 64 * 1024;  // bytes, of one line

  /// "-" is standard input. Whether it can be read is known after the first next().
  explicit LineFile(std::string name);

  /// The next line without its line end, CR LF included; valid until the next call. False: the end, or error().
  bool next(std::string_view& line);
  /// The line was longer: it ends at kMostLine.
  bool cut() const { return cut_; }
  std::uint64_t number() const { return number_; }  // of the line, from 1
  const std::string& name() const { return name_; }
  /// Empty, or why reading has ended early: one line.
  const std::string& error() const { return error_; }

 private:
  void fill();
  std::size_t end_of_line();
  std::string_view cut_line();

  std::string name_, error_;
  UniqueFd own_;
  int fd_;
  std::string buffer_, long_;
  std::size_t begin_ = 0;  // of the next line in the buffer
  bool over_ = false, cut_ = false;
  std::uint64_t number_ = 0;
};

}  // namespace gray::control
