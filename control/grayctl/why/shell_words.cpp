#include "control/grayctl/why/shell_words.hpp"

#include <algorithm>
#include <cstdint>

namespace gray::control {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int digit_of(char c, int base) {
  const char lower = static_cast<char>(c | 0x20);
  const int value = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
  return value < base ? value : -1;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto more = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    more(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    more(6), more(0);
  } else {
    out += static_cast<char>(0xf0 | ((code >> 18) & 7));
    more(12), more(6), more(0);
  }
}

class ShellReader {
 public:
  explicit ShellReader(std::string_view text) : text_(text) {}

  std::variant<std::vector<std::string>, std::string> words() {
    while (skip_blanks()) {
      std::string word;
      while (at_ < text_.size() && !is_blank(text_[at_]))
        if (!part(word)) return "a quote in the command line is not closed";
      words_.push_back(std::move(word));
    }
    return std::move(words_);
  }

 private:
  bool skip_blanks() {
    while (at_ < text_.size() && (is_blank(text_[at_]) || text_.substr(at_, 2) == "\\\n")) ++at_;
    return at_ < text_.size();
  }
  bool part(std::string& word) {
    const char c = text_[at_];
    if (c == '\'') return single(word);
    if (c == '"') return twofold(word);
    if (text_.substr(at_, 2) == "$'") return escaped(word);
    ++at_;
    if (c != '\\')
      word += c;
    else if (at_ < text_.size() && text_[at_++] != '\n')
      word += text_[at_ - 1];
    return true;
  }
  bool single(std::string& word) {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) return false;
    word += text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }
  bool twofold(std::string& word) {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      const bool escapes = text_[at_] == '\\' && at_ + 1 < text_.size() &&
                           std::string_view("\\\"$`\n").find(text_[at_ + 1]) != std::string_view::npos;
      if (escapes && text_[++at_] == '\n') continue;
      word += text_[at_];
    }
    return at_++ < text_.size();
  }
  bool escaped(std::string& word) {
    for (at_ += 2; at_ < text_.size() && text_[at_] != '\''; ++at_) {
      if (text_[at_] != '\\' || at_ + 1 == text_.size())
        word += text_[at_];
      else
        escape(word, text_[++at_]);
    }
    return at_++ < text_.size();
  }
  /// `at_` is at the character behind the backslash, and then at the last one of the escape.
  void escape(std::string& word, char c) {
    constexpr std::string_view kNames = "abefnrtv", kValues = "\a\b\x1b\f\n\r\t\v";
    if (const auto name = kNames.find(c); name != std::string_view::npos) {
      word += kValues[name];
    } else if (c == 'x') {
      word += static_cast<char>(number(2, 16));
    } else if (c == 'u' || c == 'U') {
      append_utf8(word, number(c == 'u' ? 4 : 8, 16));
    } else if (digit_of(c, 8) >= 0) {
      --at_;
      word += static_cast<char>(number(3, 8));
    } else {
      word += c;  // also ' " \ ?
    }
  }
  std::uint32_t number(int digits, int base) {
    std::uint32_t value = 0;
    for (; digits > 0 && at_ + 1 < text_.size() && digit_of(text_[at_ + 1], base) >= 0; --digits)
      value = value * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit_of(text_[++at_], base));
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> words_;
};

}  // namespace

std::variant<std::vector<std::string>, std::string> shell_words(std::string_view text) {
  return ShellReader(text).words();
}

}  // namespace gray::control
