#include "supervisor/process/environment.hpp"

#include <algorithm>
#include <array>

namespace gray::supervisor {
namespace {

// NODE_UNIQUE_ID makes a Node program ask its "cluster master" for a listener instead of listening; the others announce
// channels that do not exist.
constexpr std::array<std::string_view, 15> kScrubbed = {"NODE_CHANNEL_FD",
                                                        "NODE_CHANNEL_SERIALIZATION_MODE",
                                                        "NODE_UNIQUE_ID",
                                                        "NOTIFY_SOCKET",
                                                        "WATCHDOG_USEC",
                                                        "WATCHDOG_PID",
                                                        "LISTEN_FDS",
                                                        "LISTEN_PID",
                                                        "LISTEN_PIDFDID",
                                                        "LISTEN_FDNAMES",
                                                        "MAINPID",
                                                        "GRAY_READY_FD",
                                                        "GRAY_SOCKET",
                                                        "PORT",
                                                        "HOST"};

// They describe the login session or the private files of one user; HOME, USER, LOGNAME and SHELL are replaced. All
// others stay: an operator may have set them for the service.
constexpr std::string_view kPersonalPrefixes[] = {"XDG_", "SUDO_", "DOAS_", "GNOME_", "KDE_", "PULSE_"};
constexpr std::string_view kPersonal[] = {
    "TMPDIR",
    "TMP",
    "TEMP",
    "MAIL",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "HISTFILE",
    "LESSHISTFILE",
    "PKEXEC_UID",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "SSH_ORIGINAL_COMMAND",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "SSH_ASKPASS",
    "GPG_AGENT_INFO",
    "GPG_TTY",
    "KRB5CCNAME",
    "DISPLAY",
    "XAUTHORITY",
    "ICEAUTHORITY",
    "WAYLAND_DISPLAY",
    "WINDOWID",
    "SESSION_MANAGER",
    "DESKTOP_SESSION",
    "DESKTOP_STARTUP_ID",
};

constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

using Variables = std::map<std::string, std::string>;

bool is_personal(std::string_view key) {
  const auto begins = [&](std::string_view prefix) { return key.starts_with(prefix); };
  return std::any_of(std::begin(kPersonalPrefixes), std::end(kPersonalPrefixes), begins) ||
         std::find(std::begin(kPersonal), std::end(kPersonal), key) != std::end(kPersonal);
}

void change_user(const WorkerIdentity& identity, Variables& variables) {
  if (identity.user.empty()) return;
  std::erase_if(variables, [](const auto& variable) { return is_personal(variable.first); });
  variables["SHELL"] = identity.shell;
  variables["USER"] = variables["LOGNAME"] = identity.user;
  variables["HOME"] = identity.home;
}

void add_listening(const WorkerIdentity& identity, Variables& variables) {
  if (identity.port) {
    variables["PORT"] = std::to_string(*identity.port);
    variables["HOST"] = "127.0.0.1";
  }
  if (!identity.socket_path.empty()) variables["GRAY_SOCKET"] = identity.socket_path;
  if (identity.inherits_socket) {
    variables["LISTEN_FDS"] = "1";
    variables["LISTEN_FDNAMES"] = "http";
  }
}

void add_readiness(const WorkerIdentity& identity, Variables& variables) {
  if (!identity.notify_path.empty()) variables["NOTIFY_SOCKET"] = identity.notify_path;
  if (identity.ready_fd) variables["GRAY_READY_FD"] = std::to_string(*identity.ready_fd);
  if (identity.ipc_fd) {
    variables["NODE_CHANNEL_FD"] = std::to_string(*identity.ipc_fd);
    variables["NODE_CHANNEL_SERIALIZATION_MODE"] = "json";
  }
}

}  // namespace

std::vector<std::string> worker_environment(const char* const* inherited,
                                            const std::map<std::string, std::string>& configured,
                                            const WorkerIdentity& identity) {
  Variables variables;
  for (; *inherited; ++inherited) {
    const std::string_view entry = *inherited;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = entry.substr(0, equals);
    if (std::find(kScrubbed.begin(), kScrubbed.end(), key) == kScrubbed.end())
      variables[std::string(key)] = entry.substr(equals + 1);
  }
  change_user(identity, variables);
  for (const auto& [key, value] : configured) variables[key] = value;
  add_listening(identity, variables);
  add_readiness(identity, variables);
  variables["GRAY_VERSION"] = identity.version;
  variables["GRAY_WORKER_ID"] = identity.worker_id;
  variables["GRAY_GENERATION"] = std::to_string(identity.generation);
  variables["GRAY_INSTANCE"] = identity.instance;
  std::vector<std::string> result;
  result.reserve(variables.size());
  for (const auto& [key, value] : variables) result.push_back(key + "=" + value);
  return result;
}

std::optional<std::string_view> find_variable(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string_view entry : environment)
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name))
      return entry.substr(name.size() + 1);
  return std::nullopt;
}

std::vector<std::string> program_candidates(const std::string& program, const std::vector<std::string>& environment) {
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> candidates;
  std::string_view path = find_variable(environment, "PATH").value_or(kDefaultPath);
  while (true) {
    const std::size_t colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    candidates.push_back((folder.empty() ? std::string(".") : std::string(folder)) + "/" + program);
    if (colon == std::string_view::npos) return candidates;
    path.remove_prefix(colon + 1);
  }
}

}  // namespace gray::supervisor
