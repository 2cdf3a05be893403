#include "control/grayctl/demo/demo.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "config/base/demo_place.hpp"
#include "config/base/socket_search.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::control {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Null: the service has no such version.
const json* version_in(const json& service, const std::string& name) {
  for (const json& version : service.at("versions"))
    if (version.at("name") == name) return &version;
  return nullptr;
}

std::string known_in(const json& service) {
  std::string known;
  for (const json& version : service.at("versions"))
    known += (known.empty() ? "" : ", ") + version.at("name").get<std::string>();
  return known;
}

/// A reader sees the old file or the whole new one.
bool replace_file(const std::string& path, const std::string& text) {
  const std::string beside = fmt::format("{}.{}", path, ::getpid());
  UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return false;
  const bool done = ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                    ::rename(beside.c_str(), path.c_str()) == 0;
  const int cause = errno;
  if (!done) ::unlink(beside.c_str());
  errno = cause;
  return done;
}

/// Whether the version was broken before; nothing if the file could not be changed: see errno.
std::optional<bool> change(const Command& command, const std::string& path) {
  const bool was_broken = ::access(path.c_str(), F_OK) == 0;
  if (command.verb == Verb::demo_break) {
    if (!replace_file(path, command.how)) return std::nullopt;
  } else if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return std::nullopt;
  }
  return was_broken;
}

}  // namespace

std::string demo_text(const Command& command, const json& status, bool was_broken) {
  const json& service = status.at("services").at(0);
  const auto name = service.at("name").get<std::string>();
  const double weight = version_in(service, command.version)->at("weight");
  if (command.verb == Verb::demo_heal) {
    if (!was_broken) return fmt::format("{} was not broken\n", command.version);
    return weight > 0 ? fmt::format("{} works again\n", command.version)
                      : fmt::format("{} works again; to give it users again: grayctl rollout retry {}\n",
                                    command.version, name);
  }
  std::string text = fmt::format("{} {}\n", command.version, demo::break_text(command.how));
  if (service.at("stable") == command.version) {
    text +=
        fmt::format("it is the stable version: nothing takes its users away; {}\n",
                    service.value("undo_to", json()).is_null() ? "end this with: grayctl demo heal " + command.version
                                                               : "to go back: grayctl undo " + name);
  } else if (weight > 0) {
    text += fmt::format("its users go back by themselves; to watch: grayctl rollout status {} --watch\n", name);
  } else {
    text += fmt::format("it has no users now; to give it some: grayctl rollout retry {}\n", name);
  }
  return text;
}

Outcome run_demo(const Command& command) {
  const std::string socket = command.socket.empty() ? demo_socket() : command.socket;
  const Answer status = Client(socket).get("status");
  if (status.code == ExitCode::no_daemon)
    return failed(status.code, fmt::format("no demo runs at {}; start one in another terminal: grayd demo", socket));
  if (status.code != ExitCode::ok) return {status, {}};
  const auto file = status.body.at("config_file").get<std::string>();
  const fs::path folder = fs::path(file).parent_path();
  std::error_code ignored;
  if (!fs::exists(folder / demo::kMarker, ignored))
    return failed(
        ExitCode::conflict,
        fmt::format("the grayd at {} is not a demo, it serves {}: nothing was changed; start a demo in another "
                    "terminal: grayd demo",
                    socket, file));
  const json& service = status.body.at("services").at(0);
  if (version_in(service, command.version) == nullptr)
    return failed(ExitCode::usage, fmt::format("there is no version \"{}\" in this demo (known: {})", command.version,
                                               known_in(service)));
  const std::string path = (folder / demo::break_file(command.version)).string();
  const auto was_broken = change(command, path);
  if (!was_broken)
    return failed(
        errno == EACCES ? ExitCode::denied : ExitCode::failed,
        fmt::format("{} cannot be changed: {}; run grayctl as the user of the demo", path, std::strerror(errno)));
  const bool breaks = command.verb == Verb::demo_break;
  json body = {{"schema_version", 1},
               {"service", service.at("name")},
               {"version", command.version},
               {"broken", breaks ? json(command.how) : json()}};
  return {{.code = ExitCode::ok, .body = std::move(body), .error = {}}, demo_text(command, status.body, *was_broken)};
}

}  // namespace gray::control
