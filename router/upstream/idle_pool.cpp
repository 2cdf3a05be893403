#include "router/upstream/idle_pool.hpp"

#include <cassert>

namespace gray::upstream {

void IdlePool::put(IdleLink& link, TimePoint now) {
  assert(!link.linked && "a socket is idle once");
  link = {.newer = nullptr, .older = newest_, .since = now, .linked = true};
  (newest_ ? newest_->newer : oldest_) = &link;
  newest_ = &link;
  ++size_;
}

IdleLink* IdlePool::take_newest() {
  IdleLink* link = newest_;
  if (link) remove(*link);
  return link;
}

void IdlePool::remove(IdleLink& link) {
  if (!link.linked) return;
  (link.newer ? link.newer->older : newest_) = link.older;
  (link.older ? link.older->newer : oldest_) = link.newer;
  link = {};
  --size_;
}

IdleLink* IdlePool::take_expired(TimePoint now, Duration limit) {
  IdleLink* link = oldest_;
  if (!link || now - link->since < limit) return nullptr;
  remove(*link);
  return link;
}

std::optional<TimePoint> IdlePool::next_deadline(Duration limit) const {
  if (!oldest_) return std::nullopt;
  return oldest_->since + limit;
}

}  // namespace gray::upstream
