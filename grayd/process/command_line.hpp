#pragma once
// grayd's arguments as values. Usage errors are exit 2 with one line that says what to do.
#include <string>

namespace gray::master {

/// The hidden child mode: numbers of the descriptors that the master hands down (grayd/routers/router_spawn.hpp).
struct RouterArguments {
  int channel = -1;
  int segment = -1;
  int freed = -1;       // the segment's event
  int access_log = -1;  // -1: off
  int listeners = 0;    // how many
  int proxied = 0;      // the last of them: those with PROXY headers
  std::string cgroup;   // empty: none
};

/// The hidden mode of an image that continues another one: grayd/handoff/self_exec.hpp.
struct ResumeArguments {
  std::string config;    // the file, for whoever looks at the process; what it said is in the state
  int state = -1;        // descriptor of what was handed over
  int back = -1;         // of the program before this one; -1: there is no way back
  std::string returned;  // why the image that was to follow did not; empty: this is the one
};

struct CommandLine {
  enum class Mode { serve, check, router, check_handoff, resume, leave };
  Mode mode = Mode::leave;
  std::string config;      // serve, check
  RouterArguments router;  // router
  ResumeArguments resume;  // resume
  int exit_code = 0;       // leave: after printing these
  std::string output, error;
};

CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace gray::master
