#pragma once
// The call stack of a place in the program, by libbacktrace: taken as addresses, and turned into text only for a
// report. Any thread.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace gray::engine {

struct CallStack {
  static constexpr std::size_t kFrames = 16;
  std::array<std::uintptr_t, kFrames> frames{};  // the innermost first
  std::size_t count = 0;

  /// The calls that lead to the caller of this function, without its `skip` innermost ones.
  static CallStack capture(int skip = 0);
  bool operator==(const CallStack&) const = default;
};

/// One line, the innermost call first: "append < keep < on_data". A router may not open the file of its program
/// (grayd/process/system_calls.cpp), so there, and without symbols, a call is an offset: "+0x1f2e0", for
/// `addr2line -Cfe grayd`. Empty for an empty stack.
std::string text_of(const CallStack& stack);

}  // namespace gray::engine
