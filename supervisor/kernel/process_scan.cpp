#include "supervisor/kernel/process_scan.hpp"

#include <algorithm>

namespace gray::supervisor {
namespace {

constexpr std::string_view kGeneration = "GRAY_GENERATION=";

template <class Key>
void append(std::vector<pid_t>& pids, const std::multimap<Key, pid_t>& from, const Key& key) {
  for (auto [entry, end] = from.equal_range(key); entry != end; ++entry) pids.push_back(entry->second);
}

}  // namespace

void ProcessScan::end_turn() {
  in_turn_ = false;
  forget();
}

ProcessScan::Look& ProcessScan::look() {
  if (in_turn_ && look_) return *look_;
  ++looks_;
  look_.emplace();
  for (const ProcessInfo& process : all_processes()) {
    if (process.state == 'Z') continue;
    look_->pids.push_back(process.pid);
    look_->sessions.emplace(process.session, process.pid);
    look_->groups.emplace(process.group, process.pid);
  }
  return *look_;
}

/// The environment of each process is read once, whichever worker is asked for.
std::multimap<std::string, pid_t> ProcessScan::marked_of(const std::vector<pid_t>& pids, const std::string& instance) {
  std::multimap<std::string, pid_t> marked;
  for (const pid_t pid : pids) {
    bool ours = false;
    std::string_view generation;
    const std::string environment = environment_of(pid);
    each_variable(environment, [&](std::string_view assignment) {
      ours = ours || assignment == instance;
      if (generation.empty() && assignment.starts_with(kGeneration)) generation = assignment;
    });
    if (ours && !generation.empty()) marked.emplace(generation, pid);
  }
  return marked;
}

std::vector<pid_t> ProcessScan::members(pid_t session, const std::string& instance, const std::string& generation) {
  Look& all = look();
  auto marked = all.marked.find(instance);
  if (marked == all.marked.end()) marked = all.marked.emplace(instance, marked_of(all.pids, instance)).first;
  std::vector<pid_t> pids;
  append(pids, all.sessions, session);
  append(pids, marked->second, generation);
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

std::vector<pid_t> ProcessScan::group(pid_t group) {
  std::vector<pid_t> pids;
  append(pids, look().groups, group);
  return pids;
}

}  // namespace gray::supervisor
