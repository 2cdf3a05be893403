#pragma once
// Replaces the image of this process by another program; the pid, the children and the named descriptors stay. Only on
// the main thread, because the death signal of the children is tied to it; other threads end.
//
//  Signals must be blocked: a signal during the exec then waits for the handlers of the new image instead of killing
//  it.
#include <set>
#include <string>
#include <vector>

namespace gray::master {

/// `program` is an open file; O_PATH is enough. The named descriptors are inherited beside 0, 1 and 2; all others are
/// closed, because the project opens all as close-on-exec. Returns only if it failed, with the errno; nothing changed.
int exec_image(int program, std::vector<std::string> arguments, const std::set<int>& inherited);

/// The fallback to the previous image, while this image reads the state: go() starts it after an error; a crash, or
/// kLimit without an end, starts it automatically. The inherited descriptors must still be open then; their flags do
/// not matter. Only one object at a time; signals must be blocked.
class Fallback {
 public:
  static constexpr unsigned kLimit = 30;  // seconds

  /// `arguments`: the reason is appended to them. `inherited`: the descriptors that the previous image gets back.
  Fallback(int program, std::vector<std::string> arguments, std::set<int> inherited);
  ~Fallback();  // this image continues
  Fallback(const Fallback&) = delete;
  Fallback& operator=(const Fallback&) = delete;

  /// Ends the process if the previous image cannot be executed.
  [[noreturn]] void go(const std::string& reason) const;

 private:
  std::vector<std::string> arguments_;
};

}  // namespace gray::master
