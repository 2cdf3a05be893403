#pragma once
// What the configuration asks for and this machine cannot give, found before anything is started: a command that does
// not exist or cannot be executed, a working folder that is missing, a user that workers cannot run as. Pure over a
// look at the file system and the users.
#include <functional>
#include <string>
#include <vector>

#include "config/settings/settings.hpp"

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
  bool stable = false;  // it is its service's stable version: without it there is nothing to serve
};

/// Empty: all can be started.
std::vector<PreflightFault> preflight(const Settings& settings, const Machine& machine);

/// Against this machine and grayd's own environment.
std::vector<PreflightFault> preflight_here(const Settings& settings);
/// Whether grayd should not even start: a stable version is among them. A canary that cannot be started has failed, and
/// its service is served by stable.
bool is_fatal(const std::vector<PreflightFault>& faults);
/// The faults as config/base/diagnostics.hpp shows errors of the file, with place, line and caret.
std::string rendered(const std::vector<PreflightFault>& faults, const std::string& file);

/// The file system and the users as they are.
FileKind look_at(const std::string& path);
UserKind look_for_user(const std::string& name);

}  // namespace gray::master
