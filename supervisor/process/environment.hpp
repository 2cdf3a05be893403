#pragma once
// The environment of a worker (contract 2.3): grayd's own, without variables that would suggest a different parent,
// plus the configured variables, plus our own, which take precedence. With a user of its own, the variables that belong
// to the user of grayd are replaced or removed.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gray::supervisor {

struct WorkerIdentity {
  std::string version;
  std::string worker_id;  // "web@v1#0"
  std::uint64_t generation = 0;
  std::string instance;
  // Each is set in the environment only if it is set here.
  std::optional<std::uint16_t> port;
  std::string socket_path;       // to listen on
  bool inherits_socket = false;  // descriptor 3; the child sets LISTEN_PID
  std::string notify_path;
  std::optional<int> ready_fd;
  std::optional<int> ipc_fd;
  std::string user, home, shell;  // of a worker with a user of its own
};

/// "NAME=value" each. `inherited` is an environ(7) array.
std::vector<std::string> worker_environment(const char* const* inherited,
                                            const std::map<std::string, std::string>& configured,
                                            const WorkerIdentity& identity);

/// The value of a variable in such a list; nothing if it is not there.
std::optional<std::string_view> find_variable(const std::vector<std::string>& environment, std::string_view name);

/// The paths to try for `program`, in order: itself if it has a slash, else in each folder of PATH. Relative to the
/// worker's cwd.
std::vector<std::string> program_candidates(const std::string& program, const std::vector<std::string>& environment);

}  // namespace gray::supervisor
