#pragma once
// The rules of the house as functions: one file in, what is wrong with it out. The tree is read by tidy_test.cpp only.
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

/// Includes point down the house only, by the arrows of the build; tests follow their part. Every folder has a row.
Findings check_includes(const File& file);
/// No file includes itself, over however many others.
Findings check_cycles(const std::vector<File>& files);
/// The rows of the include matrix themselves: no folder stands below itself.
Findings check_room_order();
/// 35 C++ files a folder, without the folders in it. Those that had more are listed; their numbers only shrink.
Findings check_room_sizes(const std::vector<File>& files);
/// No Asio and no clock where a decision is made: http, policy, upstream, stats, and every state machine.
Findings check_pure(const File& file);
/// Calls that are banned everywhere, with the reason and what to use.
Findings check_banned_calls(const File& file);
/// 400 lines a file (tests 700), 120 columns, 60 lines a function.
Findings check_lengths(const File& file);
/// Headers open with #pragma once; nothing is left for later.
Findings check_habits(const File& file);
/// Every source of a room has a test of its name; `paths` are all files of the tree.
Findings check_has_test(const File& file, const std::set<std::string>& paths);

}  // namespace gray::tidy
