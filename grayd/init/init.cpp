#include "grayd/init/init.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "config/base/address.hpp"
#include "config/base/exit_code.hpp"
#include "config/base/printable.hpp"
#include "config/base/unique_fd.hpp"
#include "grayd/init/findings.hpp"
#include "grayd/init/first_file.hpp"
#include "grayd/init/project_files.hpp"
#include "grayd/init/recognition.hpp"
#include "grayd/init/trial.hpp"
#include "grayd/process/loopback.hpp"
#include "supervisor/kernel/socket_owner.hpp"

namespace gray::init {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t kFirstPort = 8000, kLastPort = 8019;

/// 8000, or the next one on which no other program listens; 0 if there is none.
std::uint16_t free_port_for_users() {
  for (std::uint16_t port = kFirstPort; port <= kLastPort; ++port)
    if (master::bound_to_loopback(port)) return port;
  return 0;
}

/// Who has the first port, if it may be known.
std::string holder_of_first_port() { return supervisor::owner_of(*Address::parse("127.0.0.1:8000")); }

/// Texts of the project are shown as they are, except for what a terminal interprets.
std::string shown(std::string text) {
  make_printable(text, '?');
  return text;
}

int refuse(ExitCode code, const std::string& text) {
  fmt::print(stderr, "grayd init: {}\n", text);
  return static_cast<int>(code);
}

void say(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

int not_recognised(const std::string& folder, const Project& project, const Recognition& found) {
  std::string text = fmt::format("no program was recognised in {}. It looked for:\n",
                                 shown(fs::absolute(folder).lexically_normal().string()));
  for (const std::string& line : found.looked_for) text += fmt::format("  {}\n", shown(line));
  text += fmt::format("\nA Procfile with one line is enough:\n\n  web: COMMAND\n\nOr write {} by hand:\n\n{}",
                      shown((fs::path(folder) / "grayd.toml").lexically_normal().string()),
                      least_file(service_name(project.folder_name)));
  text += "\nThen check it: grayd --config grayd.toml --check";
  return refuse(ExitCode::failed, text);
}

std::string plan_text(const Plan& plan) {
  std::string text = fmt::format("found: {} ({})\n", shown(plan.kind), shown(plan.from));
  for (const std::string& reason : plan.reasons) text += fmt::format("  {}\n", shown(reason));
  for (const std::string& note : plan.notes) text += fmt::format("  note: {}\n", shown(note));
  return text;
}

int code_of(const Observation& seen) {
  switch (seen.end) {
    case Observation::End::healthy: return static_cast<int>(ExitCode::ok);
    case Observation::End::time_up: return static_cast<int>(ExitCode::timeout);
    case Observation::End::interrupted: return static_cast<int>(ExitCode::interrupted);
    default: return static_cast<int>(ExitCode::failed);
  }
}

int write_error(const std::string& file) {
  const int cause = errno;
  if (cause == EEXIST)
    return refuse(ExitCode::conflict,
                  fmt::format("{} exists and was not changed. To run it again: remove this file, write another one in "
                              "the folder: grayd init --output next.toml, or only look: grayd init --print",
                              shown(file)));
  return refuse(ExitCode::failed, fmt::format("{} cannot be written: {}; with --print it is printed instead",
                                              shown(file), std::strerror(cause)));
}

int try_once(const master::InitArguments& arguments, const Plan& plan, const std::string& service,
             const std::string& program, std::uint16_t port) {
  say("started once, without users, to look at it:\n");
  const std::string folder = fs::canonical(arguments.folder).string();
  const Observation seen = run_trial({plan, service, folder, program, arguments.timeout});
  say(report_of(seen, plan) + "  it was stopped again\n");
  if (seen.end == Observation::End::interrupted) return code_of(seen);
  say(is_wrong(seen) ? "next, when that is corrected:\n" : "next:\n");
  say(next_commands(arguments.folder, arguments.name, port));
  return code_of(seen);
}

}  // namespace

bool create_file(const std::string& path, const std::string& text) {
  std::string beside = path + ".XXXXXX";  // a new name: what an interrupted init has left is not in the way
  UniqueFd fd(::mkostemp(beside.data(), O_CLOEXEC));
  if (!fd) return false;
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t wrote = ::write(fd.get(), rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  // A link, unlike a rename, never replaces a file that exists.
  const bool done = rest.empty() && ::fchmod(fd.get(), 0644) == 0 && ::fsync(fd.get()) == 0 &&
                    ::link(beside.c_str(), path.c_str()) == 0;
  const int cause = errno;
  ::unlink(beside.c_str());
  errno = cause;
  return done;
}

std::string port_text(std::uint16_t port, const std::string& holder) {
  const std::string by = holder.empty() ? "" : " by " + holder;
  if (port == 0)
    return fmt::format("  note: ports {} to {} are in use: correct http in [listen] before grayd starts\n", kFirstPort,
                       kLastPort);
  return fmt::format("  port {} is in use{}, so http in [listen] is port {}\n", kFirstPort, by, port);
}

std::string next_commands(const std::string& folder, const std::string& name, std::uint16_t port) {
  const bool here = fs::path(folder).lexically_normal() == ".";
  return fmt::format("{}  grayd --config {}\n  curl -i http://127.0.0.1:{}/\n  grayctl status\n  grayctl logs\n",
                     here ? "" : "  cd " + shown(folder) + "\n", shown(name), port);
}

int run_init(const master::InitArguments& arguments, const std::string& program, const CheckFile& check) {
  std::error_code ignored;
  if (!fs::is_directory(arguments.folder, ignored))
    return refuse(ExitCode::usage, fmt::format("{} is not a folder: name the folder of a project: grayd init FOLDER",
                                               shown(arguments.folder)));
  const std::string file = (fs::path(arguments.folder) / arguments.name).lexically_normal().string();
  const bool print = arguments.name == "-";
  if (!print && fs::exists(fs::symlink_status(file, ignored))) {
    errno = EEXIST;
    return write_error(file);
  }
  Project project;
  try {
    project = read_project(arguments.folder);
  } catch (const std::system_error& error) {
    return refuse(ExitCode::failed, fmt::format("{} cannot be listed: {}; run grayd init as a user who may read it",
                                                shown(arguments.folder), error.code().message()));
  }
  const Recognition found = recognise(project);
  if (!found.plan) return not_recognised(arguments.folder, project, found);
  const Plan& plan = *found.plan;
  const std::string service = service_name(plan.name.empty() ? project.folder_name : plan.name);
  const std::uint16_t free = free_port_for_users();
  const std::string port_is = free == kFirstPort ? "" : port_text(free, holder_of_first_port());
  const std::uint16_t port = free == 0 ? kFirstPort : free;
  const std::string text = first_file(plan, service, port);
  if (print) {
    fmt::print(stderr, "{}{}", plan_text(plan), port_is);
    say(text);
    return static_cast<int>(ExitCode::ok);
  }
  say(plan_text(plan) + port_is);
  if (!create_file(file, text)) return write_error(file);
  say(fmt::format("wrote: {} (service {}, version v1)\n", file, service));
  if (const std::string faults = check(file); !faults.empty()) {
    fmt::print(stderr, "{}grayd init: correct {}, then: grayd --config {} --check\n", faults, file, file);
    return static_cast<int>(ExitCode::bad_config);
  }
  say(fmt::format("{} is valid\n", file));
  if (arguments.start) return try_once(arguments, plan, service, program, port);
  say("next:\n" + next_commands(arguments.folder, arguments.name, port));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace gray::init
