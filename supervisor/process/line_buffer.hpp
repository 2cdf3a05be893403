#pragma once
// Cuts a stream of bytes into lines, with a bound on what it keeps: of a longer line only the beginning is delivered.
#include <string>
#include <string_view>

namespace gray::supervisor {

class LineBuffer {
 public:
  explicit LineBuffer(std::size_t cap) : cap_(cap) {}

  /// Calls sink(line, cut) for each complete line, without its newline; `cut`: it was longer than the cap.
  template <class Sink>
  void feed(std::string_view bytes, Sink&& sink) {
    while (!bytes.empty()) {
      const std::size_t newline = bytes.find('\n');
      keep(bytes.substr(0, newline));
      if (newline == std::string_view::npos) return;
      bytes.remove_prefix(newline + 1);
      flush(sink);
    }
  }
  /// Delivers the rest of the buffer as if a newline had followed.
  template <class Sink>
  void flush(Sink&& sink) {
    sink(std::string_view(line_), cut_);
    line_.clear();
    cut_ = false;
  }
  std::string_view partial() const { return line_; }
  bool empty() const { return line_.empty(); }
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("line", line_);
    io("cut", cut_);
    io.check("line", line_.size() <= cap_);
  }

 private:
  void keep(std::string_view bytes) {
    const std::size_t room = cap_ - line_.size();
    cut_ = cut_ || bytes.size() > room;
    line_.append(bytes.substr(0, room));
  }

  std::size_t cap_;
  std::string line_;
  bool cut_ = false;
};

}  // namespace gray::supervisor
