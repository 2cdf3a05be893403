#include "grayd/routers/router_weighing.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "grayd/routers/router_memory.hpp"
#include "supervisor/kernel/process_table.hpp"

namespace gray::master {

bool RouterWeighing::ask(Then then) {
  callers_.push_back(std::move(then));
  if (callers_.size() > 1) return false;
  ++number_;
  routers_.clear();
  return true;
}

void RouterWeighing::asked(pid_t pid, RouterState state) {
  routers_.push_back({.memory = {.pid = pid, .state = state, .report = {}}});
}

void RouterWeighing::wait() {
  deadline_.expires_after(kLimit);
  deadline_.async_wait(lifetime_.guard([this, number = number_](std::error_code error) {
    if (!error && number == number_) finish();
  }));
  if (routers_.empty()) settle();
}

void RouterWeighing::answered(pid_t pid, std::uint64_t number, MemoryReport report) {
  const auto found = std::ranges::find_if(routers_, [&](const Asked& one) { return one.memory.pid == pid; });
  if (number != number_ || found == routers_.end() || !found->awaited) return;
  found->awaited = false;
  found->memory.answered = true;
  found->memory.report = std::move(report);
  complete(found->memory, mappings_of(pid), supervisor::resident_bytes(pid));
  settle();
}

void RouterWeighing::ended(pid_t pid) {
  std::erase_if(routers_, [&](const Asked& one) { return one.awaited && one.memory.pid == pid; });
  settle();
}

void RouterWeighing::settle() {
  if (callers_.empty() || std::ranges::any_of(routers_, &Asked::awaited)) return;
  deadline_.cancel();
  asio::post(io_, lifetime_.guard([this, number = number_] {
    if (number == number_) finish();
  }));
}

void RouterWeighing::finish() {
  if (callers_.empty()) return;
  std::vector<RouterMemory> all;
  for (Asked& one : routers_) {
    one.awaited = false;
    all.push_back(std::move(one.memory));
  }
  for (const Then& then : std::exchange(callers_, {})) then(all);
}

}  // namespace gray::master
