#include "grayd/preflight.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>

namespace gray::master {
namespace {

std::string in_folder(const std::string& folder, const std::string& path) {
  return path.front() == '/' ? path : folder + "/" + path;
}

std::optional<std::string> fault_of_file(const std::string& path, FileKind kind) {
  switch (kind) {
    case FileKind::executable: return std::nullopt;
    case FileKind::missing: return fmt::format("{} does not exist", path);
    case FileKind::folder: return fmt::format("{} is a folder, not a program", path);
    case FileKind::other: return fmt::format("{} is not executable; chmod +x it, or name its interpreter first", path);
  }
  return std::nullopt;
}

/// An empty part of PATH is the working folder, as execvp(3) has it.
bool is_in_path(const std::string& name, const std::string& path, const std::string& cwd, const FileLookup& lookup) {
  std::istringstream folders(path);
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    const auto full = folder.empty() ? cwd : in_folder(cwd, folder);
    if (lookup(full + "/" + name) == FileKind::executable) return true;
  }
  return false;
}

std::optional<std::string> fault_of(const VersionSettings& version, const std::string& path,
                                    const FileLookup& lookup) {
  if (lookup(version.cwd) != FileKind::folder) {
    return fmt::format("cwd {} is no folder; create it or correct `cwd`", version.cwd);
  }
  const auto& program = version.command.front();
  if (program.find('/') != std::string::npos) {
    const auto full = in_folder(version.cwd, program);
    const auto fault = fault_of_file(full, lookup(full));
    return fault ? std::optional("command " + *fault) : std::nullopt;
  }
  const auto own = version.env.find("PATH");
  const auto& folders = own == version.env.end() ? path : own->second;
  if (is_in_path(program, folders, version.cwd, lookup)) return std::nullopt;
  return fmt::format("command \"{}\" is in no folder of PATH ({}); install it or give its full path", program, folders);
}

}  // namespace

std::vector<PreflightFault> preflight(const Settings& settings, const std::string& path, const FileLookup& lookup) {
  std::vector<PreflightFault> faults;
  for (const auto& service : settings.services) {
    for (const auto& version : service.versions) {
      if (const auto fault = fault_of(version, path, lookup)) {
        const bool stable = version.name == service.stable;
        faults.push_back({fmt::format("{}@{}: {}", service.name, version.name, *fault), stable});
      }
    }
  }
  return faults;
}

std::vector<PreflightFault> preflight_here(const Settings& settings) {
  const char* path = std::getenv("PATH");
  return preflight(settings, path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path, look_at);
}

bool is_fatal(const std::vector<PreflightFault>& faults) {
  return std::any_of(faults.begin(), faults.end(), [](const PreflightFault& fault) { return fault.stable; });
}

std::string rendered(const std::vector<PreflightFault>& faults, const std::string& file) {
  std::string text;
  for (const auto& fault : faults) text += fmt::format("{}: error: {}\n", file, fault.text);
  return text;
}

FileKind look_at(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return FileKind::missing;
  if (S_ISDIR(facts.st_mode)) return FileKind::folder;
  const bool executable = S_ISREG(facts.st_mode) && (facts.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
  return executable ? FileKind::executable : FileKind::other;
}

}  // namespace gray::master
