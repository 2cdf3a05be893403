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

/// One line per fault, each with worker, cause and remedy; empty: all can be started. `path` is grayd's own PATH, which
/// a version's `env` may replace.
std::vector<std::string> preflight(const Settings& settings, const std::string& path, const FileLookup& lookup);

/// Against this machine and grayd's own environment.
std::vector<std::string> preflight_here(const Settings& settings);
/// The faults as lines of "FILE: error: FAULT".
std::string rendered(const std::vector<std::string>& faults, const std::string& file);

/// The file system as it is.
FileKind look_at(const std::string& path);

}  // namespace gray::master
