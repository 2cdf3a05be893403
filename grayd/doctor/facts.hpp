#pragma once
// What `grayd doctor` knows of a running grayd, its workers and its host: values only. A fact that is nothing could not
// be looked at; `unseen` says why, by check.
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "grayd/init/open_ports.hpp"

namespace gray::doctor {

/// A process by its name and the program behind it: {"npm", "npm start"}.
struct ProcessFacts {
  pid_t pid = 0;
  std::string name;  // without path: of a script its own, not that of the interpreter
  bool operator==(const ProcessFacts&) const = default;
};

struct WorkerFacts {
  std::string id, state, address, ready_by, last_exit;
  pid_t pid = 0;  // 0: it has no process now
  unsigned restarts = 0;
  std::optional<Duration> ready_after;               // of this process
  std::optional<std::vector<init::OpenPort>> ports;  // on which its processes listen
  std::optional<ProcessFacts> leader;                // the process that grayd started
  std::vector<ProcessFacts> below;                   // what that started
};

struct VersionFacts {
  std::string service, name, state, cause;
  double weight = 0, configured_weight = 0;
  bool stable = false, stopped = false;
  unsigned instances = 0;
  std::optional<bool> automatic;  // of `ready`
  std::optional<Duration> ready_timeout;
  std::uint64_t memory_limit = 0;  // of one worker; 0: none
  std::vector<WorkerFacts> workers;

  bool up(const WorkerFacts& worker) const { return worker.state == "healthy" || worker.state == "ready"; }
};

struct ServiceFacts {
  std::string name, stable, configured_stable;
  std::uint32_t max_sockets = 0;  // 0: not known
  std::vector<VersionFacts> versions;
};

/// A warning of the status.
struct WarningFacts {
  std::string cause, service, version, text;
};

struct RouterFacts {
  pid_t pid = 0;
  std::string state;
  std::uint64_t table = 0;
  std::optional<std::uint64_t> file_limit;  // descriptors it may open
};

/// The file of the program of a process, beside what is at its path now.
struct ProgramFacts {
  std::string path;
  bool replaced = false;  // another file is at the path
  bool gone = false;      // no file is there
};

struct FileFacts {
  std::string path;
  std::uint32_t mode = 0;  // permission bits
  std::string owner, group;
};

/// A folder or file that grows, and what is free where it is.
struct StoreFacts {
  std::string what, path;  // "access_log"
  std::uint64_t bytes = 0;
  std::uint64_t free_bytes = 0, disk_bytes = 0;
};

struct MemoryFacts {
  std::uint64_t ram = 0;
  std::uint64_t group_limit = 0;  // of the control group of grayd; 0: none
};

/// The file of the configuration, read now.
struct ConfigFacts {
  std::string path;
  std::string errors;  // empty: it is valid
  std::uint32_t max_connections = 0;
  std::uint64_t memory_budget = 0;
};

struct Facts {
  std::string version, own_version;  // of the running grayd, and of this program
  std::string socket;
  pid_t pid = 0;
  std::string phase;
  bool config_changed = false;
  std::uint64_t table = 0;
  std::vector<std::string> listen;
  std::vector<RouterFacts> routers;
  std::vector<WarningFacts> warnings;
  std::vector<ServiceFacts> services;

  std::optional<ConfigFacts> config;
  std::optional<ProgramFacts> program;
  std::optional<FileFacts> admin;
  std::optional<MemoryFacts> memory;
  std::optional<std::uint64_t> listen_backlog;  // net.core.somaxconn
  std::optional<bool> clock_set;                // something sets the clock of the host
  std::optional<Duration> saved_ahead;          // how far the state on disk is in the future
  std::vector<StoreFacts> stores;
  std::map<std::string, std::string> unseen;  // by check
};

}  // namespace gray::doctor
