#pragma once
// The state of a version and its workers at one moment. The supervisor makes it, for routing and reports. Plain values
// that the supervisor has at hand. Values that must be measured (memory) are not included, so that a view needs no
// system call.
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.hpp"
#include "config/base/time.hpp"

namespace gray {

/// Contract 2.3. The transitions are in supervisor/worker_machine.hpp.
enum class WorkerState : std::uint8_t {
  idle,
  spawned,
  ready,
  healthy,
  unhealthy,
  draining,
  stopping,
  exited,
  backoff,
  failed,
};
inline constexpr std::size_t kWorkerStates = 10;
constexpr WorkerState last_value(WorkerState) { return WorkerState::failed; }
std::string_view name(WorkerState state);

/// dark: up, without traffic.
enum class VersionState : std::uint8_t { starting, serving, dark, draining, stopped, failed };
std::string_view name(VersionState state);

/// The state of a replacement of all workers of a version.
enum class ReplacementState : std::uint8_t { running, done, failed };
constexpr ReplacementState last_value(ReplacementState) { return ReplacementState::failed; }
std::string_view name(ReplacementState state);

/// What the kernel says of the sockets on which a worker listens.
struct ListenerView {
  std::uint32_t backlog = 0;  // connections that may wait to be accepted; 0: not known
  bool everywhere = false;    // at every address of this host
  template <class Io>
  void archive(Io& io) {
    io("backlog", backlog);
    io("everywhere", everywhere);
  }
  bool operator==(const ListenerView&) const = default;
};

struct WorkerView {
  std::string id;  // "web@v1#0"
  pid_t pid = 0;   // 0: no process now
  WorkerState state = WorkerState::idle;
  std::optional<Address> address;
  uid_t owner = 0;       // the user who must be behind the address
  std::string ready_by;  // "pipe", "notify", "ipc", "fd:N", "tcp", "http"; empty before
  std::string status;    // the last STATUS= that it sent; may be empty
  std::uint32_t restarts = 0;
  std::string last_exit;  // "exit 3", "signal 9", "ready-timeout"; empty: never
  TimePoint started{};    // of the process; meaningless without a process
  std::uint64_t generation = 0;
  std::uint32_t cell = 0;
  bool routable = false;
  ListenerView listener = {};
};

/// The last replacement of all workers of a version.
struct ReplacementView {
  unsigned number = 0;  // 1, 2, ...
  ReplacementState state = ReplacementState::running;
  std::uint32_t replaced = 0, of = 0;  // workers
  std::string reason;                  // if failed: which worker, why, and its last lines, as one line
  bool operator==(const ReplacementView&) const = default;
};

/// Workers that did not end within stop.timeout, and were killed.
struct LateStops {
  std::uint32_t workers = 0;
  std::string last;  // "worker web@v1#0: " and what it did not do
  template <class Io>
  void archive(Io& io) {
    io("workers", workers);
    io("last", last);
  }
};

struct VersionView {
  std::string service, version;
  VersionState state = VersionState::stopped;
  std::string cause;  // why it failed, is not up yet, or was rolled back to the old settings: one line with worker,
                      // cause and its last lines
  std::vector<WorkerView> workers;  // slots that are alive or in back-off
  std::optional<ReplacementView> replacement = std::nullopt;
  LateStops late_stops = {};  // since the version was last started, stopped or replaced
};

}  // namespace gray
