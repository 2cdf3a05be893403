#include "supervisor/kernel/process_table.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "config/base/unique_fd.hpp"

namespace gray::supervisor {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

template <class Use>
void each_entry(const std::string& folder, Use&& use) {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(folder.c_str()));
  if (!dir) return;
  while (const dirent* entry = ::readdir(dir.get())) use(std::string_view(entry->d_name));
}

std::string proc_path(pid_t pid, std::string_view file) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(file);
}

/// Of a file with one line, the end need not be read.
bool has_line(std::string_view text) { return text.ends_with('\n'); }

std::string link_target(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::read_symlink(path, ignored).string();
}

}  // namespace

std::string read_file(const std::string& path, bool (*enough)(std::string_view text)) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!fd) return text;
  char chunk[4096];
  for (ssize_t got; (got = ::read(fd.get(), chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<std::size_t>(got));
    if (enough != nullptr && enough(text)) break;
  }
  return text;
}

// The name is in parentheses and may contain parentheses itself: the last one ends it.
std::optional<ProcessInfo> parse_stat(std::string_view stat) {
  const std::size_t open = stat.find('('), close = stat.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessInfo info;
  info.pid = std::atoi(std::string(stat.substr(0, open)).c_str());
  info.name = stat.substr(open + 1, close - open - 1);
  const std::string rest(stat.substr(close + 1));
  const int fields = std::sscanf(rest.c_str(), " %c %d %d %d", &info.state, &info.parent, &info.group, &info.session);
  if (info.pid <= 0 || fields != 4) return std::nullopt;
  return info;
}

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> result;
  each_entry("/proc", [&](std::string_view entry) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), pid);
    if (error != std::errc{} || end != entry.data() + entry.size()) return;
    if (auto info = parse_stat(read_file(proc_path(pid, "stat"), has_line))) result.push_back(std::move(*info));
  });
  return result;
}

std::string environment_of(pid_t pid) { return read_file(proc_path(pid, "environ")); }

bool has_variable(pid_t pid, std::string_view assignment) {
  bool found = false;
  const std::string environment = environment_of(pid);
  each_variable(environment, [&](std::string_view one) { found = found || one == assignment; });
  return found;
}

std::uint64_t resident_bytes(pid_t pid) {
  unsigned long long size = 0, resident = 0;
  if (std::sscanf(read_file(proc_path(pid, "statm"), has_line).c_str(), "%llu %llu", &size, &resident) != 2) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string describe_process(pid_t pid) {
  const auto info = parse_stat(read_file(proc_path(pid, "stat")));
  return info ? "pid " + std::to_string(pid) + " (" + info->name + ")" : std::string();
}

std::string program_of(pid_t pid) { return link_target(proc_path(pid, "exe")); }

std::string cwd_of(pid_t pid) { return link_target(proc_path(pid, "cwd")); }

std::uint64_t open_files(pid_t pid) {
  std::uint64_t count = 0;
  each_entry(proc_path(pid, "fd"), [&count](std::string_view entry) { count += entry.front() != '.'; });
  return count;
}

bool holds_socket(pid_t pid, const std::vector<std::uint64_t>& inodes) {
  bool found = false;
  const std::string folder = proc_path(pid, "fd");
  each_entry(folder, [&](std::string_view entry) {
    char target[64];
    const ssize_t length = ::readlink((folder + "/" + std::string(entry)).c_str(), target, sizeof target - 1);
    if (length <= 0) return;
    target[length] = '\0';
    unsigned long long inode = 0;
    if (std::sscanf(target, "socket:[%llu]", &inode) == 1)
      found = found || std::find(inodes.begin(), inodes.end(), inode) != inodes.end();
  });
  return found;
}

void reap_strays(const std::function<std::vector<pid_t>()>& keep) {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;  // the usual case, cheap
  const pid_t self = ::getpid(), session = ::getsid(0);
  const std::vector<pid_t> leaders = keep();
  for (const ProcessInfo& process : all_processes()) {
    const bool stray = process.parent == self && process.state == 'Z' && process.session != session;
    if (stray && std::find(leaders.begin(), leaders.end(), process.pid) == leaders.end())
      ::waitpid(process.pid, nullptr, WNOHANG);
  }
}

}  // namespace gray::supervisor
