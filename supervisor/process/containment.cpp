#include "supervisor/process/containment.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "config/base/pidfd.hpp"
#include "supervisor/kernel/process_table.hpp"

namespace gray::supervisor {
namespace {

constexpr int kMostAncestors = 64;  // pids may be reused while they are followed

UniqueFd watch_first(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids)
    if (UniqueFd fd{::pidfd_open(pid, 0)}) return fd;
  return {};
}

/// The watch is set before the last look, so that an end in between is reported. A look in which there is nobody, or
/// somebody who can be watched, is the last one.
template <class Pids>
Containment::Rest rest_of(const Pids& pids_now, ProcessScan& scan) {
  auto pids = pids_now();
  UniqueFd watch = watch_first(pids);
  if (pids.empty() || watch) return {pids.empty(), std::move(watch)};
  scan.forget();
  pids = pids_now();
  watch = watch_first(pids);
  return {pids.empty(), std::move(watch)};
}

}  // namespace

Containment::Containment(pid_t leader, std::optional<Cgroup> cgroup, const std::string& instance,
                         std::uint64_t generation, ProcessScan& scan)
    : leader_(leader),
      cgroup_(std::move(cgroup)),
      instance_("GRAY_INSTANCE=" + instance),
      generation_("GRAY_GENERATION=" + std::to_string(generation)),
      scan_(&scan) {}

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
  return scan_->members(leader_, instance_, generation_);
}

// A cgroup does not list zombies.
std::vector<pid_t> Containment::group() const {
  if (!cgroup_) return scan_->group(leader_);
  std::vector<pid_t> pids;
  for (const pid_t pid : cgroup_->all_members())
    if (::getpgid(pid) == leader_) pids.push_back(pid);
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

// A cgroup says for certain whether it is empty; its members are only listed for the watch, before.
Containment::Rest Containment::rest() const {
  if (!cgroup_) return rest_of([this] { return members(); }, *scan_);
  UniqueFd watch = watch_first(cgroup_->all_members());
  return {!cgroup_->populated(), std::move(watch)};
}

Containment::Rest Containment::rest_of_group() const {
  if (!cgroup_) return rest_of([this] { return group(); }, *scan_);
  UniqueFd watch = watch_first(group());
  return {group().empty(), std::move(watch)};
}

void Containment::dissolve() const {
  if (cgroup_) cgroup_->remove();
}

}  // namespace gray::supervisor
