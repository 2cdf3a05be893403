#pragma once
// Reads one HTTP/1.1 answer: keeps the status and X-Gray-Reason, counts the body and throws it away. Bytes in, state
// out; no socket. It trusts nobody's framing but checks none either: what it cannot follow is `broken`.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace gray::bench {

class ReplyReader {
 public:
  enum class State : std::uint8_t { head, sized, chunked, until_close, done, broken };

  void reset() { *this = ReplyReader{}; }

  State feed(std::string_view bytes) {
    touched_ = true;
    if (state_ != State::head) return body(bytes);
    head_.append(bytes);
    for (std::size_t end; state_ == State::head && (end = head_.find("\r\n\r\n")) != std::string::npos;) {
      const std::string rest = head_.substr(end + 4);
      head_.resize(end + 2);
      parse_head();
      head_ = rest;
    }
    if (state_ == State::head) return state_ = head_.size() > kHeadLimit ? State::broken : State::head;
    return body(std::exchange(head_, {}));
  }

  /// The peer has closed: right for an answer that ends so, an error for every other.
  State end_of_stream() { return state_ = state_ == State::until_close ? State::done : State::broken; }

  State state() const { return state_; }
  bool touched() const { return touched_; }  // at least one byte has come
  int status() const { return status_; }
  bool keep_alive() const { return keep_alive_; }
  const std::string& reason() const { return reason_; }

 private:
  static constexpr std::size_t kHeadLimit = 64 * 1024;

  State body(std::string_view bytes) {
    if (state_ == State::sized) {
      left_ -= std::min<std::uint64_t>(left_, bytes.size());
      if (left_ == 0) state_ = State::done;
    } else if (state_ == State::chunked) {
      chunks(bytes);
    }
    return state_;
  }

  void chunks(std::string_view bytes) {
    while (!bytes.empty() && state_ == State::chunked) {
      const std::size_t data = std::min<std::uint64_t>(left_, bytes.size());
      left_ -= data;
      bytes.remove_prefix(data);
      if (bytes.empty()) return;
      if (bytes.front() == '\n') {
        end_of_chunk_line();
      } else if (bytes.front() != '\r') {
        line_.push_back(bytes.front());
      }
      bytes.remove_prefix(1);
    }
  }

  // A line is a chunk size, the empty end of a chunk's data, or after the last chunk a trailer; an empty one ends all.
  void end_of_chunk_line() {
    const std::string line = std::exchange(line_, {});
    if (last_chunk_ && line.empty()) state_ = State::done;
    if (last_chunk_ || line.empty()) return;
    const auto [_, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
    if (error != std::errc{}) state_ = State::broken;
    last_chunk_ = left_ == 0;
  }

  void parse_head() {
    std::string_view lines = head_;
    const std::string_view first = next_line(lines);
    if (first.size() < 12 || !first.starts_with("HTTP/1.") ||
        std::from_chars(first.data() + 9, first.data() + 12, status_).ec != std::errc{}) {
      state_ = State::broken;
      return;
    }
    if (status_ < 200) return;  // an interim answer: the real one follows
    keep_alive_ = first[7] == '1';
    state_ = status_ == 204 || status_ == 304 ? State::done : State::until_close;
    while (!lines.empty()) field(next_line(lines));
    if (state_ == State::sized && left_ == 0) state_ = State::done;
  }

  void field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string name = lower(line.substr(0, colon));
    line.remove_prefix(std::min(line.find_first_not_of(" \t", colon + 1), line.size()));
    if (name == "x-gray-reason") reason_ = line;
    if (name == "connection") keep_alive_ = lower(line) != "close";
    if (state_ == State::done) return;
    if (name == "transfer-encoding") state_ = State::chunked;
    if (name == "content-length" && state_ != State::chunked) {
      state_ = State::sized;
      std::from_chars(line.data(), line.data() + line.size(), left_);
    }
  }

  static std::string_view next_line(std::string_view& lines) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    return line;
  }

  static std::string lower(std::string_view text) {
    std::string result{text};
    std::transform(text.begin(), text.end(), result.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return result;
  }

  State state_ = State::head;
  bool touched_ = false;
  bool keep_alive_ = true;
  bool last_chunk_ = false;
  int status_ = 0;
  std::uint64_t left_ = 0;  // of a sized body, or of the current chunk
  std::string head_;
  std::string line_;
  std::string reason_;
};

}  // namespace gray::bench
