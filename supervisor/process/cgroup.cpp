#include "supervisor/process/cgroup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sstream>

#include "supervisor/kernel/process_table.hpp"

namespace gray::supervisor {
namespace {

constexpr std::string_view kPrefix = "grayd-";

// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

// Folders of masters that were killed. Only empty ones can be removed; the sweep kills workers in the others.
void remove_abandoned(const std::string& parent) {
  std::error_code ignored;
  std::vector<std::string> abandoned;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kPrefix) && !std::filesystem::exists("/proc/" + name.substr(kPrefix.size()), ignored))
      abandoned.push_back(entry.path());
  }
  for (std::string& path : abandoned)
    if (const auto old = Cgroup::make(std::move(path))) old->remove();
}

}  // namespace

std::optional<std::string> cgroup2_mount(const std::string& mountinfo) {
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find(" - cgroup2 ");
    if (dash == std::string::npos) continue;
    std::istringstream fields(line);
    std::string id, parent, device, root, mount;
    if (fields >> id >> parent >> device >> root >> mount) return unescaped(mount);
  }
  return std::nullopt;
}

std::optional<std::string> cgroup2_path(const std::string& proc_cgroup) {
  std::istringstream lines(proc_cgroup);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("0::/")) return line.substr(3);
  return std::nullopt;
}

std::optional<std::uint64_t> cgroup_memory(const std::string& current, const std::string& stat) {
  std::uint64_t bytes = 0, cache = 0;
  if (!(std::istringstream(current) >> bytes)) return std::nullopt;
  std::istringstream lines(stat);
  std::string name;
  for (std::uint64_t value = 0; lines >> name >> value;)
    if (name == "inactive_file" || name == "active_file") cache += value;
  return bytes - std::min(bytes, cache);
}

std::optional<std::uint64_t> Cgroup::memory() const {
  const std::string current = read_file(path_ + "/memory.current");
  return current.empty() ? std::nullopt : cgroup_memory(current, read_file(path_ + "/memory.stat"));
}

std::optional<Cgroup> Cgroup::make(std::string path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return std::nullopt;
  return Cgroup(std::move(path));
}

UniqueFd Cgroup::open_procs() const {
  return UniqueFd(::open((path_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
}

void Cgroup::kill() const {
  const UniqueFd fd(::open((path_ + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  if (fd) (void)!::write(fd.get(), "1", 1);
}

bool Cgroup::populated() const { return read_file(path_ + "/cgroup.events").find("populated 1") != std::string::npos; }

std::vector<pid_t> Cgroup::members() const {
  std::vector<pid_t> pids;
  std::istringstream text(read_file(path_ + "/cgroup.procs"));
  for (pid_t pid; text >> pid;) pids.push_back(pid);
  return pids;
}

std::vector<pid_t> Cgroup::all_members() const {
  std::vector<pid_t> pids = members();
  for (const Cgroup& child : children()) {
    const auto more = child.all_members();
    pids.insert(pids.end(), more.begin(), more.end());
  }
  return pids;
}

std::vector<Cgroup> Cgroup::children() const {
  std::error_code ignored;
  std::vector<Cgroup> below;
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored))
    if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) below.push_back(Cgroup(entry.path()));
  return below;
}

void Cgroup::remove() const {
  for (const Cgroup& child : children()) child.remove();
  ::rmdir(path_.c_str());
}

CgroupTree::CgroupTree() {
  const auto mount = cgroup2_mount(read_file("/proc/self/mountinfo"));
  const auto own = cgroup2_path(read_file("/proc/self/cgroup"));
  if (!mount || !own) return;
  const std::string parent = *mount + (*own == "/" ? "" : *own) + "/";
  remove_abandoned(parent);
  const std::string path = parent + std::string(kPrefix) + std::to_string(::getpid());
  const auto root = Cgroup::make(path);
  usable_ = root && root->open_procs() && ::access((path + "/cgroup.kill").c_str(), W_OK) == 0;
  if (usable_)
    path_ = path;
  else if (root)
    root->remove();
}

CgroupTree::~CgroupTree() {
  if (const auto root = path_.empty() ? std::nullopt : Cgroup::make(path_)) root->remove();
}

std::optional<Cgroup> CgroupTree::child(const std::string& name) {
  if (!usable_ || !Cgroup::make(path_)) return std::nullopt;
  return Cgroup::make(path_ + "/" + name);
}

}  // namespace gray::supervisor
