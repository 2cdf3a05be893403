#pragma once
// What every fuzz target shares. A target is a program that libFuzzer (clang) feeds with inputs it bends until they
// reach new code; a target states properties that must hold for every input, and ends the program when one does not.
//
// Invariants: a target is a pure function of its input (a finding can be repeated from the file alone), keeps nothing
// from one input to the next but buffers, and copies what it parses into memory of exactly that size, so that
// AddressSanitizer sees a read of one byte too many.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace gray::fuzz {

inline void must(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "broken property: %s\n", property);
  std::abort();
}

/// Bytes in memory of their own, not one byte more.
class Exact {
 public:
  explicit Exact(std::string_view text) : bytes_(new char[text.size()]), size_(text.size()) {
    text.copy(bytes_.get(), size_);
  }
  explicit Exact(std::size_t size) : bytes_(new char[size]), size_(size) {}
  char* data() { return bytes_.get(); }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

/// Choices that an input makes by itself: the same ones each time it is run.
class Choices {
 public:
  explicit Choices(std::string_view input) {
    for (const char c : input) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  /// 0..limit-1
  std::size_t below(std::size_t limit) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::size_t>(state_ >> 33) % limit;
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

}  // namespace gray::fuzz
