#pragma once
// grayd's arguments as values. Usage errors are exit 2 with one line that says what to do.
#include <string>

namespace gray::master {

/// The hidden child mode: numbers of the descriptors that the master hands down (grayd/router_spawn.hpp).
struct RouterArguments {
  int channel = -1;
  int segment = -1;
  int access_log = -1;  // -1: off
  int listeners = 0;    // how many
  int proxied = 0;      // the last of them: those with PROXY headers
  std::string cgroup;   // empty: none
};

struct CommandLine {
  enum class Mode { serve, check, router, leave };
  Mode mode = Mode::leave;
  std::string config;      // serve, check
  RouterArguments router;  // router
  int exit_code = 0;       // leave: after printing these
  std::string output, error;
};

CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace gray::master
