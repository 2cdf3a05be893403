#include "router/process/memory_scan.hpp"

#include <time.h>

#include <algorithm>
#include <utility>

namespace gray::proxy {

namespace {

// Of this thread: what others take from the machine meanwhile does not count.
Micros cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::duration_cast<Micros>(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace

MemoryScan::MemoryScan(engine::Engine& engine, std::vector<Part> parts)
    : engine_(engine), parts_(std::move(parts)), next_(this, [](void* self, TimePoint) {
        auto& scan = *static_cast<MemoryScan*>(self);
        if (!scan.running_) scan.begin();
      }) {}

void MemoryScan::report(Done done) {
  waiting_.push_back(std::move(done));
  if (!running_) begin();
}

void MemoryScan::begin() {
  running_ = true;
  asked_ = std::exchange(waiting_, {});
  part_ = at_ = 0;
  took_ = Micros{0};
  result_ = {};
  turn();
}

void MemoryScan::turn() {
  const Micros begin = cpu_time();
  for (std::size_t left = kAtOnce; left > 0 && part_ < parts_.size();) {
    const std::size_t looked = parts_[part_](at_, left, !asked_.empty(), result_.tally);
    at_ += looked;
    left -= std::min(looked, left);
    if (left > 0) ++part_, at_ = 0;
  }
  const Micros took = cpu_time() - begin;
  took_ += took;
  result_.longest_turn = std::max(result_.longest_turn, took);
  if (part_ < parts_.size()) return engine_.post([this] { turn(); });
  end();
}

void MemoryScan::end() {
  running_ = false;
  marks_.raise(result_.tally);
  marks_.mark(result_.tally);
  for (const Done& done : std::exchange(asked_, {})) done(result_);
  const auto& shares = result_.tally.shares();
  const bool connected = std::ranges::any_of(
      shares, [](const auto& one) { return one.second.owner <= MemoryOwner::tunnels && one.second.count > 0; });
  if (!waiting_.empty()) return begin();
  if (connected && !next_.armed()) sample_later(took_);
}

void MemoryScan::sample_later(Micros took) {
  const auto rest = std::chrono::ceil<Duration>(kShare * took);
  engine_.timers().arm(next_, engine_.now() + std::max(kInterval, rest));
}

}  // namespace gray::proxy
