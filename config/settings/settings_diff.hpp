#pragma once
// A reload as a pure difference of two settings: applied whole, or refused whole (contract 2.2). The file is intent;
// which version is stable and which weights are set is fact, and comes in as `live`. Reads no clock, starts nothing.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/base/exit_code.hpp"
#include "config/settings/settings.hpp"

namespace gray {

/// What is true of a service at this moment, whatever the file once said.
struct LiveVersion {
  std::string name;
  double weight = 0;     // percent; the stable version's is not looked at
  bool serving = false;  // it takes requests, or would once its workers are up; false after `grayctl stop`
};
struct LiveService {
  std::string name;
  std::string stable;
  std::vector<LiveVersion> versions;
};

struct Change {
  enum class Kind : std::uint8_t {
    router,       // trusted_proxies, max_connections...: a new router generation, or a message to the old one
    add_service,  // its versions follow as add_version
    add_version,
    restart_version,  // rolling: what a running process cannot be told (command, env, cwd, user, listen, ready)
    update_version,   // health, stop, drain_timeout, ready_timeout, memory: takes effect without a restart
    resize_version,   // instances; may come beside restart_version or update_version
    reroute_service,  // hosts, paths, selectors, identity, expose, limits: a new routing table
    remove_version,   // drain it
    remove_service,   // after its versions
  };
  Kind kind;
  std::string service;  // empty for `router`
  std::string version;  // empty for services
  bool operator==(const Change&) const = default;
};

struct Refusal {
  ExitCode code = ExitCode::conflict;
  std::string message;  // one line: what stands in the way and what to do
};

/// The changes in an order in which they can be applied: additions first, removals last. Empty: nothing changed.
using Changes = std::vector<Change>;
using Diff = std::variant<Changes, Refusal>;

/// A changed `stable` or `weight` of a version that both settings have is no change: state wins over the file.
Diff diff(const Settings& old, const Settings& fresh, const std::vector<LiveService>& live);

}  // namespace gray
