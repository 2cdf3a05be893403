#pragma once
// The include matrix: the folders of the tree, and what the files of each may include.
#include <string_view>
#include <vector>

namespace gray::tidy {

/// A room is one folder, without its subfolders. `below` lists the rooms and single headers that its files may include
/// in addition to their own room.
struct Room {
  std::string_view folder;
  std::vector<std::string_view> below;
};

extern const std::vector<Room> kRooms;
/// Tests that belong to no room, and the headers that tests may include in addition to those of their part.
extern const std::vector<Room> kTestRooms;

}  // namespace gray::tidy
