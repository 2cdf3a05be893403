#pragma once
// The rules for the source tree as functions: one file in, its violations out. Only tidy_test.cpp reads the tree.
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gray::tidy {

struct File {
  std::string path;  // from the root of the tree, "router/wire/head.cpp"
  std::string text;
};

struct Finding {
  std::string path;
  std::size_t line = 0;  // 0: the file as a whole
  std::string message;
};
using Findings = std::vector<Finding>;

bool is_cpp(const File& file);  // .hpp or .cpp

/// Includes follow only the arrows of the build; tests follow their part. Every folder has a row.
Findings check_includes(const File& file);
/// No file includes itself, directly or through others.
Findings check_cycles(const std::vector<File>& files);
/// The rows of the include matrix: no folder is below itself.
Findings check_room_order();
/// 35 C++ files per folder, without subfolders. Folders with more are listed; their numbers may only shrink.
Findings check_room_sizes(const std::vector<File>& files);
/// No Asio and no clock in the code that makes decisions: http, policy, upstream, stats, and every state machine.
Findings check_pure(const File& file);
/// Calls that are banned everywhere, with the reason and what to use.
Findings check_banned_calls(const File& file);
/// 400 lines per file (tests 700), 120 columns, 60 lines per function.
Findings check_lengths(const File& file);
/// Headers begin with #pragma once; no comment postpones work.
Findings check_habits(const File& file);
/// Every source of a room has a test with its name; `paths` are all files of the tree.
Findings check_has_test(const File& file, const std::set<std::string>& paths);

}  // namespace gray::tidy
