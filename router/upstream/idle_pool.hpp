#pragma once
// Idle sockets to one worker: last in, first out, so that warm sockets are used and the surplus ages out at the other
// end. Intrusive: the links live in the connection, so nothing is allocated. Pure; `now` is passed in.
#include <cstddef>
#include <optional>

#include "config/base/time.hpp"

namespace gray::upstream {

struct IdleLink {
  IdleLink* newer = nullptr;
  IdleLink* older = nullptr;
  TimePoint since{};
  bool linked = false;
};

class IdlePool {
 public:
  IdlePool() = default;
  IdlePool(const IdlePool&) = delete;
  IdlePool& operator=(const IdlePool&) = delete;

  void put(IdleLink& link, TimePoint now);
  IdleLink* take_newest();  // null: empty
  IdleLink* oldest() const { return oldest_; }
  void remove(IdleLink& link);  // it died or was closed; no-op if not linked
  std::size_t size() const { return size_; }
  /// The oldest one if it has been idle for `limit` at `now`, removed; null otherwise. Call until null.
  IdleLink* take_expired(TimePoint now, Duration limit);
  /// When take_expired() will next have something.
  std::optional<TimePoint> next_deadline(Duration limit) const;

 private:
  IdleLink* newest_ = nullptr;
  IdleLink* oldest_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gray::upstream
