#pragma once
// A reload as a pure difference of two settings: applied completely or refused completely (contract 2.2). The file is
// the wanted state. The actual stable version and weights are passed as `live`. Reads no clock, starts nothing.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/base/exit_code.hpp"
#include "config/settings/settings.hpp"

namespace gray {

/// The actual state of a service, which may differ from the file.
struct LiveVersion {
  std::string name;
  double weight = 0;     // percent; ignored for the stable version
  bool serving = false;  // it takes requests, or would once its workers are up; false after `grayctl stop`
};
struct LiveService {
  std::string name;
  std::string stable;
  std::vector<LiveVersion> versions;
};

struct Change {
  enum class Kind : std::uint8_t {
    router,        // trusted_proxies, max_connections...: a new router generation, or a message to the old one
    memory,        // leak_detection: a new routing table
    certificates,  // [tls.NAME]: the files are read, and routers get the new ones
    add_service,   // its versions follow as add_version
    add_version,
    restart_version,  // rolling: settings that a process gets at its start (command, env, cwd, user, listen, ready)
    update_version,   // health, min_healthy, stop, drain_timeout, ready_timeout, memory: takes effect without a restart
    resize_version,   // instances; may come beside restart_version or update_version
    reroute_service,  // hosts, paths, selectors, identity, expose, limits: a new routing table
    change_release,   // release, rollout: takes effect at the next deploy or rollout
    remove_version,   // drain it
    remove_service,   // after its versions
  };
  Kind kind;
  std::string service;  // empty for `router` and `memory`
  std::string version;  // empty for services
  bool operator==(const Change&) const = default;
};

struct Refusal {
  ExitCode code = ExitCode::conflict;
  std::string message;  // one line: the obstacle and what to do about it
};

/// The changes in an order in which they can be applied: additions first, removals last. Empty: nothing changed.
using Changes = std::vector<Change>;
using Diff = std::variant<Changes, Refusal>;

/// A changed `stable`, or `weight` of a version that both settings have, is not a change: state wins over the file.
Diff diff(const Settings& old, const Settings& fresh, const std::vector<LiveService>& live);

}  // namespace gray
