#include "grayd/preflight.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "config/base/diagnostics.hpp"
#include "config/base/wall_time.hpp"
#include "config/shared/tls_view.hpp"
#include "control/traffic/deployed.hpp"
#include "grayd/certificates/identity_files.hpp"
#include "supervisor/process/credentials.hpp"

namespace gray::master {
namespace {

std::string in_folder(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
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

struct Fault {
  std::string text;
  Place at;
};

std::optional<Fault> fault_of_command(const VersionSettings& version, const Machine& machine) {
  const auto& program = version.command.front();
  if (program.find('/') != std::string::npos) {
    const auto full = in_folder(version.cwd, program);
    const auto fault = fault_of_file(full, machine.file(full));
    return fault ? std::optional(Fault{"command " + *fault, version.command_at}) : std::nullopt;
  }
  const auto own = version.env.find("PATH");
  const auto& folders = own == version.env.end() ? machine.path : own->second;
  if (is_in_path(program, folders, version.cwd, machine.file)) return std::nullopt;
  return Fault{
      fmt::format("command \"{}\" is not found in PATH ({}); install it or give its full path", program, folders),
      version.command_at};
}

std::optional<Fault> fault_of_user(const std::string& user, Place at, const Machine& machine) {
  const auto kind = user.empty() ? UserKind::own : machine.user(user);
  if (kind == UserKind::missing) {
    return Fault{fmt::format("there is no user \"{}\" on this host; create it or correct `user`", user), at};
  }
  if (kind == UserKind::own || machine.may_change_user) return std::nullopt;
  return Fault{fmt::format("to run as \"{}\", grayd must be root; start it as root, or leave `user` out", user), at};
}

std::optional<Fault> fault_of(const VersionSettings& version, const Machine& machine) {
  if (machine.file(version.cwd) != FileKind::folder) {
    return Fault{fmt::format("cwd {} is not a folder; create it or correct `cwd`", version.cwd), version.cwd_at};
  }
  if (auto fault = fault_of_command(version, machine)) return fault;
  return fault_of_user(version.user, version.user_at, machine);
}

std::optional<Fault> fault_of_router(const RouterSettings& router, const Machine& machine) {
  return fault_of_user(router.user, router.user_at, machine);
}

Machine this_machine() {
  const char* path = std::getenv("PATH");
  return {.path = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path,
          .file = look_at,
          .user = look_for_user,
          .may_change_user = supervisor::may_change_user()};
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<PreflightFault> preflight(const Settings& settings, const Machine& machine) {
  std::vector<PreflightFault> faults;
  if (const auto fault = fault_of_router(settings.router, machine)) {
    faults.push_back({"router: " + fault->text, fault->at, true});
  }
  for (const auto& service : settings.services) {
    for (const auto& version : service.versions) {
      if (const auto fault = fault_of(version, machine)) {
        const bool stable = version.name == service.stable;
        faults.push_back({fmt::format("{}@{}: {}", service.name, version.name, fault->text), fault->at, stable});
      }
    }
  }
  return faults;
}

std::vector<PreflightFault> preflight_here(const Settings& settings) {
  auto faults = preflight(settings, this_machine());
  for (auto& fault : certificate_faults(settings)) faults.push_back(std::move(fault));
  return faults;
}

/// grayd does not start with a certificate that clients cannot use.
std::vector<PreflightFault> certificate_faults(const Settings& settings) {
  std::vector<PreflightFault> faults;
  if (settings.https.empty()) return faults;
  const auto now = unix_seconds(wall_now());
  for (const TlsSettings& one : settings.tls)
    if (auto fault = load_identity(one, now).fault; !fault.empty())
      faults.push_back({fmt::format("tls.{}: {}", one.name, fault), one.certificate_at, true});
  return faults;
}

std::string objection_here(const std::string& service, const VersionSettings& version) {
  const auto fault = fault_of(version, this_machine());
  return fault ? fmt::format("{}@{}: {}", service, version.name, fault->text) : std::string();
}

std::vector<PreflightFault> preflight_of_start(const Settings& file, const control::State& state) {
  auto settings = control::at_start(file, state);
  if (const auto problem = control::missing_stable(settings, state); !problem.empty()) return {{problem, {}, true}};
  for (ServiceSettings& service : settings.services)
    std::erase_if(service.versions,
                  [&](const VersionSettings& version) { return version.deployed && version.name != service.stable; });
  return preflight_here(settings);
}

bool is_fatal(const std::vector<PreflightFault>& faults) {
  return std::any_of(faults.begin(), faults.end(), [](const PreflightFault& fault) { return fault.stable; });
}

std::string rendered(const std::vector<PreflightFault>& faults, const std::string& file) {
  std::vector<Diagnostic> diagnostics;
  for (const auto& fault : faults) diagnostics.push_back({fault.at.line, fault.at.column, fault.text});
  return render(file, text_of(file), std::move(diagnostics));
}

FileKind look_at(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return FileKind::missing;
  if (S_ISDIR(facts.st_mode)) return FileKind::folder;
  const bool executable = S_ISREG(facts.st_mode) && (facts.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
  return executable ? FileKind::executable : FileKind::other;
}

UserKind look_for_user(const std::string& name) {
  const auto user = supervisor::find_user(name);
  if (!user) return UserKind::missing;
  return user->uid == ::geteuid() ? UserKind::own : UserKind::other;
}

}  // namespace gray::master
