#pragma once
// The command line of grayd as values. A usage error is exit code 2 and one line that says what to do.
#include <cstdint>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "grayd/process/privileges.hpp"

namespace gray::master {

/// The hidden router mode: numbers of the descriptors that the master passes (grayd/routers/router_spawn.hpp).
struct RouterArguments {
  int channel = -1;
  int segment = -1;
  int freed = -1;               // the segment's event
  int access_log = -1;          // -1: off
  int listeners = 0;            // how many
  int secured = 0;              // how many of them, before those with PROXY headers, begin with TLS
  int proxied = 0;              // how many of them, the last ones, expect PROXY headers
  std::optional<UserIds> user;  // none: grayd's own
};

/// The hidden guard mode: grayd/guard/guard_child.hpp.
struct GuardArguments {
  int groups = -1;     // descriptor of the pipe from which it reads process groups
  std::string cgroup;  // the subtree of all workers; empty: none
};

/// The hidden mode of an image that replaces an earlier one: grayd/handoff/self_exec.hpp.
struct ResumeArguments {
  std::string config;    // the file, shown in the process list; its content is in the state
  int state = -1;        // descriptor of the handed-over state
  int back = -1;         // descriptor of the previous program; -1: no fallback
  std::string returned;  // why the next image failed and returned to this one; empty: it did not
};

/// `grayd init [FOLDER]`: grayd/init/init.hpp.
struct InitArguments {
  std::string folder = ".";
  std::string name = "grayd.toml";  // of the file, in the folder; "-": it is printed
  bool start = true;                // the version once, to look at it
  Duration timeout{20'000};         // of that start
};

/// `grayd doctor`: grayd/doctor/doctor.hpp.
struct DoctorArguments {
  std::string config;  // the file that names the admin socket
  std::string socket;  // the admin socket itself; both empty: the usual ones
  bool json = false;
};

/// `grayd demo`: grayd/demo/demo.hpp.
struct DemoArguments {
  std::uint16_t port = 8000;  // 0: the kernel chooses
};

struct CommandLine {
  enum class Mode {
    serve,
    check,
    init,
    schema,
    doctor,
    demo,
    demo_worker,
    router,
    guard,
    check_handoff,
    resume,
    leave
  };
  Mode mode = Mode::leave;
  std::string config;      // serve, check
  InitArguments init;      // init
  DoctorArguments doctor;  // doctor
  DemoArguments demo;      // demo
  RouterArguments router;  // router
  GuardArguments guard;    // guard
  ResumeArguments resume;  // resume
  int exit_code = 0;       // leave: after printing these
  std::string output, error;
};

CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace gray::master
