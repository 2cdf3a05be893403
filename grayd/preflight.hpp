#pragma once
// Checks before the start that this machine has what the configuration needs: commands that exist and can be executed,
// working folders that exist, users that workers can run as. Pure: the file system and the users are parameters.
#include <functional>
#include <string>
#include <vector>

#include "config/settings/settings.hpp"
#include "control/state/service_state.hpp"

namespace gray::master {

enum class FileKind { missing, folder, executable, other };
enum class UserKind { missing, own, other };
using FileLookup = std::function<FileKind(const std::string& path)>;
using UserLookup = std::function<UserKind(const std::string& name)>;

/// This machine, as preflight() sees it.
struct Machine {
  std::string path;  // grayd's own PATH, which a version's `env` may replace
  FileLookup file;
  UserLookup user;
  bool may_change_user = false;
};

struct PreflightFault {
  std::string text;     // version, cause and remedy, one line
  Place at;             // in the configuration file
  bool stable = false;  // nothing can be served: it concerns the router or the service's stable version
};

/// Empty: everything can be started.
std::vector<PreflightFault> preflight(const Settings& settings, const Machine& machine);

/// Against this machine and grayd's own environment.
std::vector<PreflightFault> preflight_here(const Settings& settings);
/// Of the files that [tls.NAME] name.
std::vector<PreflightFault> certificate_faults(const Settings& settings);
/// The faults of a start with these settings of the file and the versions that `state` has: a version that an earlier
/// grayd deployed matters only if it is stable.
std::vector<PreflightFault> preflight_of_start(const Settings& file, const control::State& state);
/// Why a version cannot be started on this machine, one line; empty: it can.
std::string objection_here(const std::string& service, const VersionSettings& version);
/// Whether grayd must not start: a stable version is among them. A canary that cannot be started has failed, and its
/// service is served by stable.
bool is_fatal(const std::vector<PreflightFault>& faults);
/// The faults as config/base/diagnostics.hpp shows errors of the file, with place, line and caret.
std::string rendered(const std::vector<PreflightFault>& faults, const std::string& file);

/// The file system and the users as they are.
FileKind look_at(const std::string& path);
UserKind look_for_user(const std::string& name);

}  // namespace gray::master
