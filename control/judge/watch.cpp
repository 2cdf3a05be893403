#include "control/judge/watch.hpp"

namespace gray::control {
namespace {

void forget_users(segment::Layout& layout, const Watch::Split& split) {
  for (const auto row : {split.stable_row, split.canary_row})
    for (auto& word : layout.versions[row].users) word.store(0, std::memory_order_relaxed);
}

}  // namespace

bool Watch::is_new(const Split& split) const {
  return !judge_ || split.stable != split_.stable || split.canary != split_.canary || split.latency != split_.latency;
}

void Watch::look(TimePoint now, const std::optional<Split>& split, segment::Layout& layout) {
  if (!split) {
    judge_.reset();
    split_ = {};
    return;
  }
  if (is_new(*split)) {
    judge_.emplace(split->latency);
    stable_ = canary_ = {};
    judge_->begin(now);
    forget_users(layout, *split);
  } else if (split->weight != split_.weight) {
    judge_->weight_changed(now);
    forget_users(layout, *split);
  }
  split_ = *split;
  const Step stable = stable_.look(layout, split_.stable_row), canary = canary_.look(layout, split_.canary_row);
  judge_->observe(now, split_.weight, canary, stable);
}

std::optional<Verdict> Watch::verdict() const { return judge_ ? std::optional(judge_->verdict()) : std::nullopt; }

}  // namespace gray::control
