#pragma once
// The folder of a running demo. It is the first usable of the fixed places (config/base/demo_place.hpp), where grayctl
// finds it, or one with a random name while another demo of this user runs. A lock on the folder says that its demo
// runs: what a killed demo has left is removed by the next one. The folder is removed with this object.
#include <string>
#include <vector>

#include "config/base/unique_fd.hpp"

namespace gray::demo {

class PrivateFolder {
 public:
  /// `places`: the fixed ones; only the first whose parent can be written is tried. Throws std::system_error if no
  /// folder can be made.
  explicit PrivateFolder(const std::vector<std::string>& places);
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  bool take(const std::string& path);

  std::string path_;
  UniqueFd lock_;
};

}  // namespace gray::demo
