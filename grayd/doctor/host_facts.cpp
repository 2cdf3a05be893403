#include "grayd/doctor/host_facts.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "config/base/wall_time.hpp"
#include "supervisor/kernel/process_table.hpp"

namespace gray::doctor {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOtherUser = "the process belongs to another user: run this as root";

std::string base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == path.npos ? path : path.substr(slash + 1));
}

/// Digits at the begin of a text; nothing without one ("max").
std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc{} && end != text.data() ? std::optional(value) : std::nullopt;
}

ProcessFacts process_of(const supervisor::ProcessInfo& process) {
  const std::string arguments = supervisor::read_file(fmt::format("/proc/{}/cmdline", process.pid));
  return {process.pid, program_name(arguments, process.name)};
}

/// The processes below `leader`: each after the one that started it.
std::vector<ProcessFacts> below(pid_t leader, const std::vector<supervisor::ProcessInfo>& all) {
  std::vector<ProcessFacts> found;
  std::vector<pid_t> parents{leader};
  for (std::size_t at = 0; at < parents.size(); ++at) {
    for (const auto& process : all) {
      if (process.parent != parents[at] || process.state == 'Z' || std::ranges::count(parents, process.pid)) continue;
      parents.push_back(process.pid);
      found.push_back(process_of(process));
    }
  }
  return found;
}

void look_at_workers(Facts& facts) {
  const auto all = supervisor::all_processes();
  for (ServiceFacts& service : facts.services) {
    for (VersionFacts& version : service.versions) {
      for (WorkerFacts& worker : version.workers) {
        const auto own = std::ranges::find(all, worker.pid, &supervisor::ProcessInfo::pid);
        if (worker.pid <= 0 || own == all.end()) continue;
        worker.leader = process_of(*own);
        worker.below = below(worker.pid, all);
        if (::access(fmt::format("/proc/{}/fd", worker.pid).c_str(), R_OK | X_OK) == 0)
          worker.ports = init::ports_of_session(worker.pid);
      }
    }
  }
}

void look_at_limits(Facts& facts) {
  facts.unseen["files"] = "the file of the configuration cannot be read";
  for (RouterFacts& router : facts.routers) {
    std::istringstream lines(supervisor::read_file(fmt::format("/proc/{}/limits", router.pid)));
    constexpr std::string_view kRow = "Max open files";
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(kRow)) continue;
      const std::size_t soft = line.find_first_not_of(' ', kRow.size());
      if (soft != line.npos) router.file_limit = number_in(std::string_view(line).substr(soft));
    }
    if (!router.file_limit) facts.unseen["files"] = kOtherUser;
  }
}

/// The smallest memory.max of the control group of a process and of all above it; 0: none.
std::uint64_t group_limit(pid_t pid) {
  std::istringstream lines(supervisor::read_file(fmt::format("/proc/{}/cgroup", pid)));
  std::uint64_t least = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("0::")) continue;
    for (fs::path group = line.substr(3); group != group.root_path(); group = group.parent_path()) {
      const auto limit = number_in(supervisor::read_file("/sys/fs/cgroup" + group.string() + "/memory.max"));
      if (limit && (least == 0 || *limit < least)) least = *limit;
      if (group.empty()) break;
    }
  }
  return least;
}

void look_at_memory(Facts& facts) {
  facts.unseen["memory"] = "the file of the configuration cannot be read";
  struct sysinfo host{};
  if (::sysinfo(&host) == 0)
    facts.memory = MemoryFacts{std::uint64_t{host.totalram} * host.mem_unit, group_limit(facts.pid)};
}

/// By the file that runs; without the right to see that, by times: it was written after the process was started.
void look_at_program(Facts& facts, const std::string& program) {
  if (program.empty()) {
    facts.unseen["program"] = kOtherUser;
    return;
  }
  ProgramFacts seen;
  constexpr std::string_view kDeleted = " (deleted)";
  seen.path = program.ends_with(kDeleted) ? program.substr(0, program.size() - kDeleted.size()) : program;
  struct stat there{}, running{};
  if (::stat(seen.path.c_str(), &there) != 0) {
    seen.gone = errno == ENOENT;
  } else if (::stat(fmt::format("/proc/{}/exe", facts.pid).c_str(), &running) == 0) {
    seen.replaced = running.st_dev != there.st_dev || running.st_ino != there.st_ino;
  } else {
    seen.replaced = program.ends_with(kDeleted);
  }
  facts.program = seen;
}

std::string name_of_user(uid_t uid) {
  const passwd* found = ::getpwuid(uid);
  return found == nullptr ? std::to_string(uid) : found->pw_name;
}

std::string name_of_group(gid_t gid) {
  const group* found = ::getgrgid(gid);
  return found == nullptr ? std::to_string(gid) : found->gr_name;
}

void look_at_socket(Facts& facts) {
  struct stat file{};
  if (::stat(facts.socket.c_str(), &file) == 0)
    facts.admin = FileFacts{facts.socket, file.st_mode & 07777u, name_of_user(file.st_uid), name_of_group(file.st_gid)};
}

void look_at_clock(Facts& facts, const Settings* settings) {
  timex state{};
  const int said = ::adjtimex(&state);
  facts.unseen["clock"] = "the kernel does not tell";
  if (said >= 0) facts.clock_set = said != TIME_ERROR;
  struct stat saved{};
  if (settings == nullptr || ::stat((settings->state_dir + "/state.json").c_str(), &saved) != 0) return;
  const WallTime at{std::chrono::seconds(saved.st_mtim.tv_sec)};
  facts.saved_ahead = at - wall_now();
}

void look_at_store(Facts& facts, const std::string& what, const std::string& path) {
  struct statvfs disk{};
  const std::string folder = what == "state_dir" ? path : fs::path(path).parent_path().string();
  if (::statvfs(folder.c_str(), &disk) != 0) return;
  struct stat file{};
  const bool is_file = ::stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode);
  facts.stores.push_back({what, path, is_file ? static_cast<std::uint64_t>(file.st_size) : 0,
                          std::uint64_t{disk.f_bavail} * disk.f_frsize, std::uint64_t{disk.f_blocks} * disk.f_frsize});
}

}  // namespace

std::string program_name(const std::string& command_line, const std::string& process_name) {
  std::vector<std::string> words;
  std::istringstream arguments(command_line);
  for (std::string word; std::getline(arguments, word, '\0');) words.push_back(word);
  if (words.empty()) return process_name;
  // npm writes one text over its arguments: "npm start".
  std::string name = base_name(words[0].substr(0, words[0].find(' ')));
  if ((name == "node" || name == "nodejs") && words.size() > 1 && !words[1].starts_with('-')) {
    const std::string script = base_name(words[1]);
    for (const char* manager : {"yarn", "pnpm", "npm", "npx"})
      if (script == manager || script.starts_with(std::string(manager) + ".") ||
          script.starts_with(std::string(manager) + "-cli."))
        return manager;
  }
  return name;
}

void look_at_host(Facts& facts, const std::string& program, const Settings* settings) {
  look_at_workers(facts);
  look_at_limits(facts);
  look_at_memory(facts);
  look_at_program(facts, program);
  look_at_socket(facts);
  look_at_clock(facts, settings);
  facts.listen_backlog = number_in(supervisor::read_file("/proc/sys/net/core/somaxconn"));
  facts.unseen["disk"] = "the file of the configuration cannot be read, or its folders cannot be entered";
  if (settings == nullptr) return;
  look_at_store(facts, "state_dir", settings->state_dir);
  if (!settings->access_log.empty()) look_at_store(facts, "access_log", settings->access_log);
}

}  // namespace gray::doctor
