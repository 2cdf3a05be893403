#pragma once
// The image of this process replaced by another program: same pid, children, and the descriptors that are named. Only
// by the main thread, because the death signal of the children is tied to it; other threads end.
//
// Signals must be blocked: one that comes meanwhile then waits for the new image's handlers instead of ending it.
#include <set>
#include <string>
#include <vector>

namespace gray::master {

/// `program` is open, also by O_PATH. The named descriptors are inherited beside 0, 1 and 2, all others close if they
/// are close-on-exec, as all of the project are. Returns only if it failed, with the errno; then all is as before.
int exec_image(int program, std::vector<std::string> arguments, const std::set<int>& inherited);

/// The way back to the image before, as long as this one has not read everything: at an error by go(), at a crash and
/// after kLimit by itself. What this image did meanwhile to the descriptors does not matter, as long as they are open.
/// One at a time; signals must be blocked.
class WayBack {
 public:
  static constexpr unsigned kLimit = 30;  // seconds

  /// `arguments`: to which the reason is added as the last. `inherited`: by the image before, and again.
  WayBack(int program, std::vector<std::string> arguments, std::set<int> inherited);
  ~WayBack();  // this image stays
  WayBack(const WayBack&) = delete;
  WayBack& operator=(const WayBack&) = delete;

  /// Ends the process if it cannot be gone.
  [[noreturn]] void go(const std::string& reason) const;

 private:
  std::vector<std::string> arguments_;
};

}  // namespace gray::master
