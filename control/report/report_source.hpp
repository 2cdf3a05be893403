#pragma once
// Everything that a report reads, gathered at one moment on the main thread: status and metrics are pure functions of
// it. Its references are valid until the next turn of the loop.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/base/exit_code.hpp"
#include "config/base/time.hpp"
#include "config/base/wall_time.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/router_view.hpp"
#include "config/shared/segment.hpp"
#include "config/shared/tls_view.hpp"
#include "config/shared/version_view.hpp"
#include "control/judge/verdict.hpp"
#include "control/judge/version_memory.hpp"
#include "control/report/last_minute.hpp"
#include "control/state/service_state.hpp"
#include "control/traffic/rows.hpp"

namespace gray::control {

/// The phase of grayd itself.
enum class Phase : std::uint8_t { starting, serving, stopping, stopped };
constexpr Phase last_value(Phase) { return Phase::stopped; }
/// The contract has three values: a stopped grayd cannot report.
constexpr const char* name(Phase phase) {
  constexpr const char* names[] = {"starting", "serving", "stopping", "stopping"};
  return names[static_cast<std::size_t>(phase)];
}

enum class UpgradeState : std::uint8_t { running, done, failed };
constexpr UpgradeState last_value(UpgradeState) { return UpgradeState::failed; }
constexpr const char* name(UpgradeState state) {
  constexpr const char* names[] = {"running", "done", "failed"};
  return names[static_cast<std::size_t>(state)];
}

/// An upgrade that an operator requested, or a reload that needs a new router.
struct UpgradeView {
  unsigned number = 0;  // 1, 2, ...
  std::string of;       // "router", "grayd", "reload"
  UpgradeState state = UpgradeState::running;
  std::string text;              // its progress, its result, or why it failed in which phase; one line
  ExitCode code = ExitCode::ok;  // failed: failed or timeout
  pid_t pid = 0;                 // when over: the new process; 0: none was started

  template <class Io>
  void archive(Io& io) {
    io("number", number);
    io("of", of);
    io("state", state);
    io("text", text);
    io("code", code);
    io("pid", pid);
  }
};

/// An undo that had to start its version first.
struct UndoView {
  unsigned number = 0;  // 1, 2, ... of its service
  std::string to;
  UpgradeState state = UpgradeState::running;
  std::string text;              // its progress, its result, or why it failed; one line
  ExitCode code = ExitCode::ok;  // failed: failed, conflict or timeout
};

/// The results of attempts to read the configuration; the start counts as a successful one.
struct Reloads {
  std::uint64_t accepted = 0, refused = 0;  // since the start
  bool last_good = true;
  WallTime last_good_at{};

  template <class Io>
  void archive(Io& io) {
    io("accepted", accepted);
    io("refused", refused);
    io("last_good", last_good);
    io("last_good_at", last_good_at);
  }
};

/// What a process really runs, with all links resolved; empty: it has ended, or may not be looked at.
struct Running {
  std::string program, cwd;
};

struct ReportSource {
  const Settings& settings;
  const State& state;
  const Rows& rows;
  const segment::Layout& layout;
  std::vector<VersionView> views;
  TimePoint now{};
  std::function<std::uint64_t(pid_t)> resident_bytes;  // of a worker, by its first process
  std::function<Running(pid_t)> running;               // of a process
  std::vector<RouterView> routers = {};
  std::uint64_t table = 0;  // number of the newest table
  Phase phase = Phase::starting;
  double uptime_s = 0;
  pid_t pid = 0;
  Reloads reloads = {};
  std::uint64_t events_dropped = 0;            // could not be written to disk
  bool config_changed = false;                 // the file differs from the loaded settings
  std::vector<UpgradeView> upgrades = {};      // the last ones, oldest first
  std::map<std::string, UndoView> undos = {};  // the last one of each service
  std::string untrusted_proxy = {};            // a peer that sends fields of a proxy: its IP, or "unix"; empty: none
  std::vector<TlsView> tls = {};
  // Of a version, by service and version.
  std::function<MinuteFigures(const std::string&, const std::string&)> last_minute = {};       // empty: all 0
  std::function<std::optional<Verdict>(const std::string&, const std::string&)> verdict = {};  // only beside stable

  std::optional<Verdict> verdict_of(const std::string& service, const std::string& version) const {
    return verdict ? verdict(service, version) : std::nullopt;
  }
  /// Of a worker with all its processes, by its first one; empty: resident_bytes.
  std::function<std::uint64_t(pid_t)> memory_bytes = {};
  /// What was recorded of the memory of a version, by service and version; null: nothing. Empty: of none.
  std::function<const VersionMemory*(const std::string&, const std::string&)> memory_of = {};

  std::uint64_t memory(const WorkerView& worker) const {
    return worker.pid > 0 && memory_bytes ? memory_bytes(worker.pid) : resident(worker);
  }
  std::uint64_t resident(const WorkerView& worker) const { return worker.pid > 0 ? resident_bytes(worker.pid) : 0; }
};

}  // namespace gray::control
