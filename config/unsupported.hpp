#pragma once
// Keys of contract 2.2 whose function does not exist yet. A value other than the default is refused by name instead of
// being ignored, because a limit that silently does nothing is worse than none. Delete a row when its function exists.
#include <string_view>

namespace gray {

struct Unsupported {
  std::string_view table, key;
  std::string_view value;  // as written; "*": every value but the default; "fd:*": every value that begins so
  std::string_view remedy;
};

inline constexpr Unsupported kUnsupported[] = {
    {"version", "memory", "*", "leave it out"},
};

/// The row that refuses `value`, or nullptr. Ask only for values that are not the default.
constexpr const Unsupported* find_unsupported(std::string_view table, std::string_view key, std::string_view value) {
  for (const Unsupported& row : kUnsupported) {
    if (row.table != table || row.key != key) continue;
    const bool open = row.value.ends_with('*');
    if (open ? value.starts_with(row.value.substr(0, row.value.size() - 1)) : value == row.value) return &row;
  }
  return nullptr;
}

}  // namespace gray
