#pragma once
// What the configuration asks for and this machine cannot give, found before anything is started: a command that does
// not exist, cannot be executed, or a working folder that is missing. Pure over a look at the file system.
#include <functional>
#include <string>
#include <vector>

#include "config/settings.hpp"

namespace gray::master {

enum class FileKind { missing, folder, executable, other };
using FileLookup = std::function<FileKind(const std::string& path)>;

struct PreflightFault {
  std::string text;     // version, cause and remedy, one line
  bool stable = false;  // it is its service's stable version: without it there is nothing to serve
};

/// Empty: all can be started. `path` is grayd's own PATH, which a version's `env` may replace.
std::vector<PreflightFault> preflight(const Settings& settings, const std::string& path, const FileLookup& lookup);

/// Against this machine and grayd's own environment.
std::vector<PreflightFault> preflight_here(const Settings& settings);
/// Whether grayd should not even start: a stable version is among them. A canary that cannot be started has failed, and
/// its service is served by stable.
bool is_fatal(const std::vector<PreflightFault>& faults);
/// The faults as lines of "FILE: error: FAULT".
std::string rendered(const std::vector<PreflightFault>& faults, const std::string& file);

/// The file system as it is.
FileKind look_at(const std::string& path);

}  // namespace gray::master
