#include "grayd/releases/memory_sampler.hpp"

#include "supervisor/kernel/process_table.hpp"

namespace gray::master {

MemorySampler::MemorySampler(Dependencies dependencies)
    : to_(dependencies),
      meter_{[this](pid_t pid) { return to_.supervisor.memory_bytes(pid); }, supervisor::open_files},
      timer_(to_.io, to_.interval, [this] { sample(Clock::now()); }) {}

/// A version without a row has been removed.
void MemorySampler::sample(TimePoint now) {
  std::erase_if(versions_, [this](const auto& one) { return !to_.rows.find(one.first.first, one.first.second); });
  for (const VersionView& view : to_.supervisor.view()) {
    const auto row = to_.rows.find(view.service, view.version);
    if (row) versions_[{view.service, view.version}].look(now, view, segment::sum(*to_.segment, *row), meter_);
  }
}

const control::VersionMemory* MemorySampler::of(const std::string& service, const std::string& version) const {
  const auto found = versions_.find({service, version});
  return found == versions_.end() ? nullptr : &found->second;
}

}  // namespace gray::master
