#pragma once
// Reads /proc. All functions race with the processes that they inspect; callers treat a missing process as ended.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gray::supervisor {

struct ProcessInfo {
  pid_t pid = 0;
  std::string name;
  char state = '?';  // 'Z' is a zombie
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
};

/// A line of /proc/PID/stat; nothing if it is malformed.
std::optional<ProcessInfo> parse_stat(std::string_view stat);
std::vector<ProcessInfo> all_processes();

/// The whole file; empty if it cannot be read. With `enough`, reading stops once it returns true for the text so far.
std::string read_file(const std::string& path, bool (*enough)(std::string_view text) = nullptr);
/// The environment that the process was started with; empty if it cannot be read.
std::string environment_of(pid_t pid);
/// Calls use(assignment) for each "NAME=value" in it.
template <class Use>
void each_variable(std::string_view environment, Use&& use) {
  while (!environment.empty()) {
    const std::size_t end = environment.find('\0');
    use(environment.substr(0, end));
    if (end == std::string_view::npos) return;
    environment.remove_prefix(end + 1);
  }
}
/// Whether the process was started with this "NAME=value".
bool has_variable(pid_t pid, std::string_view assignment);
/// Resident bytes of one process, 0 if it is gone.
std::uint64_t resident_bytes(pid_t pid);
/// Descriptors that the process has open; 0 if it is gone.
std::uint64_t open_files(pid_t pid);
/// The program that it executes, and its working folder, with all links resolved; empty if it is gone.
std::string program_of(pid_t pid);
std::string cwd_of(pid_t pid);
/// "pid 4711 (nginx)"; empty if it has ended.
std::string describe_process(pid_t pid);
/// Whether the process has one of these sockets open.
bool holds_socket(pid_t pid, const std::vector<std::uint64_t>& inodes);

/// Reaps ended orphans of workers that became children of this process (PR_SET_CHILD_SUBREAPER). Their session
/// distinguishes them from children that other code waits for: a worker never has the master's session. Leaders of
/// workers are in `keep`, which is asked only if a process has ended.
void reap_strays(const std::function<std::vector<pid_t>()>& keep);

}  // namespace gray::supervisor
