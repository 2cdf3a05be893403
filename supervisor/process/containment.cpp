#include "supervisor/process/containment.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "supervisor/process/process_table.hpp"

extern "C" {  // the header of glibc 2.36 has no extern "C" of its own
#include <sys/pidfd.h>
}

namespace gray::supervisor {
namespace {

constexpr int kMostAncestors = 64;  // pids may be reused while they are followed

UniqueFd watch_first(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids)
    if (UniqueFd fd{::pidfd_open(pid, 0)}) return fd;
  return {};
}

}  // namespace

Containment::Containment(pid_t leader, std::optional<Cgroup> cgroup, const std::string& instance,
                         std::uint64_t generation)
    : leader_(leader),
      cgroup_(std::move(cgroup)),
      instance_("GRAY_INSTANCE=" + instance),
      generation_("GRAY_GENERATION=" + std::to_string(generation)) {}

// A child that has not reached setsid() has no group of its own yet. Its pid is safe to use: it is not reaped yet.
void Containment::signal(int signal) const {
  for (const int each : {signal, SIGCONT})
    if (::kill(-leader_, each) != 0) ::kill(leader_, each);
}

void Containment::kill() const {
  if (cgroup_) cgroup_->kill();
  ::kill(leader_, SIGKILL);
  ::kill(-leader_, SIGKILL);
  if (cgroup_) return;
  for (const pid_t pid : members()) ::kill(pid, SIGKILL);
}

bool Containment::empty() const { return cgroup_ ? !cgroup_->populated() : members().empty(); }

std::vector<pid_t> Containment::members() const {
  if (cgroup_) return cgroup_->members();
  std::vector<pid_t> pids;
  for (const ProcessInfo& process : all_processes()) {
    if (process.state == 'Z') continue;
    const auto marked = [&] { return has_variable(process.pid, generation_) && has_variable(process.pid, instance_); };
    if (process.session == leader_ || marked()) pids.push_back(process.pid);
  }
  return pids;
}

// A cgroup does not list zombies.
std::vector<pid_t> Containment::group() const {
  std::vector<pid_t> pids;
  if (cgroup_) {
    for (const pid_t pid : cgroup_->all_members())
      if (::getpgid(pid) == leader_) pids.push_back(pid);
    return pids;
  }
  for (const ProcessInfo& process : all_processes())
    if (process.group == leader_ && process.state != 'Z') pids.push_back(process.pid);
  return pids;
}

// A zombie that was not reaped yet still has its session and its parent.
bool Containment::contains(pid_t pid) const {
  if (pid <= 0) return false;
  if (::getsid(pid) == leader_) return true;
  if (cgroup_) {
    const auto all = cgroup_->all_members();
    if (std::find(all.begin(), all.end(), pid) != all.end()) return true;
  }
  for (int step = 0; pid > 1 && step < kMostAncestors; ++step) {
    if (pid == leader_) return true;
    const auto info = parse_stat(read_file("/proc/" + std::to_string(pid) + "/stat"));
    pid = info ? info->parent : 0;
  }
  return false;
}

UniqueFd Containment::watch_member() const { return watch_first(cgroup_ ? cgroup_->all_members() : members()); }

UniqueFd Containment::watch_group() const { return watch_first(group()); }

void Containment::dissolve() const {
  if (cgroup_) cgroup_->remove();
}

}  // namespace gray::supervisor
