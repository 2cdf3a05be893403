#pragma once
// A position in the configuration file.
#include <cstdint>

namespace gray {

/// The position of a value in the file, only for messages: settings that differ only in this are equal.
struct Place {
  std::uint32_t line = 0, column = 0;  // 0: not in the file
  bool operator==(const Place&) const { return true; }
};

}  // namespace gray
