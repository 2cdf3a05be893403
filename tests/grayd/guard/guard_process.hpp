#pragma once
// The test program is started again as a guard by every master in a test.
#include <unistd.h>

#include <fstream>
#include <string>

#include "grayd/guard/guard_child.hpp"

namespace gray::test {

/// True in the tests; does not return in a child that was started as a guard.
inline bool become_guard_if_asked() {
  std::ifstream file("/proc/self/cmdline");
  std::string argument, cgroup;
  std::getline(file, argument, '\0');
  std::getline(file, argument, '\0');
  if (argument != "guard") return true;
  master::GuardArguments guard;
  for (std::string name; std::getline(file, name, '\0') && std::getline(file, argument, '\0');) {
    if (name == "--groups") guard.groups = std::stoi(argument);
    if (name == "--cgroup") guard.cgroup = argument;
  }
  ::_exit(master::run_guard(guard));
}

}  // namespace gray::test
