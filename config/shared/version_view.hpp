#pragma once
// What a version and its workers are at one moment, as whoever runs them tells those who route to them and report of
// them. Plain values: they hold only what their maker has at hand. What must be measured (memory) is not among them, so
// that a view costs no system call.
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

/// Contract 2.3. supervisor/worker_machine.hpp says how one becomes another.
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

/// Of a replacement of all workers of a version.
enum class ReplacementState : std::uint8_t { running, done, failed };
constexpr ReplacementState last_value(ReplacementState) { return ReplacementState::failed; }
std::string_view name(ReplacementState state);

struct WorkerView {
  std::string id;  // "web@v1#0"
  pid_t pid = 0;   // 0: no process now
  WorkerState state = WorkerState::idle;
  std::optional<Address> address;
  std::string ready_by;  // "pipe", "notify", "ipc", "fd:N", "tcp", "http"; empty before
  std::string status;    // what it last said of itself by STATUS=; may be empty
  std::uint32_t restarts = 0;
  std::string last_exit;  // "exit 3", "signal 9", "ready-timeout"; empty: never
  TimePoint started{};    // the process; without one it means nothing
  std::uint64_t generation = 0;
  std::uint32_t cell = 0;
  bool routable = false;
};

/// The last replacement of all workers of a version.
struct ReplacementView {
  unsigned number = 0;  // 1, 2, ...
  ReplacementState state = ReplacementState::running;
  std::uint32_t replaced = 0, of = 0;  // workers
  std::string reason;                  // failed: which worker, why, and its last lines; one line
  bool operator==(const ReplacementView&) const = default;
};

struct VersionView {
  std::string service, version;
  VersionState state = VersionState::stopped;
  std::string cause;  // why it is failed, not up yet, or was put back to the settings before: one line with worker,
                      // cause and its last lines
  std::vector<WorkerView> workers;  // living slots and those in back-off
  std::optional<ReplacementView> replacement = std::nullopt;
};

}  // namespace gray
