#pragma once
// Finds buffers that are held for too long. Pure: the time and the seed of its random numbers are passed in.
//
// Model: some of the buffers are watched, 1 in 128 at random or all. A watched buffer is reported when a sweep finds
// one of these:
//  - owner-ended: the connection that it belongs to has ended, at this sweep and at the one before.
//  - too-old: it was not used for longer than Rules::age, and is not registered as long-lived.
//  - pinned: for longer than Rules::pin it held less than 1/16 of its capacity.
// At the end of a drain every buffer that is left is reported as `drained`, watched or not.
// Reports are summed by kind, call site and stack; each sum is reported as new once.
//
// Random gaps and not each 128th buffer: a load that repeats after 128 buffers would hide one site. The gaps are
// geometric, so each buffer has the same chance. A buffer has no time of birth, because take() has no clock: its age
// counts from the first sweep after its last use.
//
// Invariants: at most kMostWatched buffers are watched; with more, later ones are not. At most kMostSites sums are
// kept; later ones are counted in the last. One thread.
//
// Source: Netty's ResourceLeakDetector (levels, sampling, thinning of the records).
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "config/settings/leak_detection.hpp"
#include "config/shared/memory_counts.hpp"
#include "router/engine/call_stack.hpp"

namespace gray::engine {

/// The latest four who held a buffer. The first one and the latest always stay; of those between, the more there were
/// the less likely an early one is replaced.
class Touches {
 public:
  static constexpr std::size_t kKept = 4;
  /// `holder` is a literal. `random`: 64 random bits.
  void add(const char* holder, std::uint64_t random);
  /// Null: nobody.
  const char* last() const { return count_ == 0 ? nullptr : kept_[count_ - 1]; }
  /// "kept head, replay body".
  std::string text() const;
  std::uint32_t dropped() const { return dropped_; }

 private:
  std::array<const char*, kKept> kept_{};
  std::uint32_t count_ = 0, dropped_ = 0;
};

/// What is recorded of one watched buffer. The pool keeps `used` and the flags up to date.
struct WatchedBuffer {
  std::uint64_t owner = 0;
  std::size_t capacity = 0, used = 0;
  std::source_location site;
  bool changed = true;      // it was used since the last sweep
  bool long_lived = false;  // it lives as long as its owner's exchange, however long that is
  // Of the detector:
  bool ownerless = false;     // its owner had ended at the last sweep
  std::uint8_t reported = 0;  // one bit for each kind
  std::uint32_t index = 0;
  TimePoint unused_since{}, small_since{};
  CallStack stack;
  Touches touches;
};

/// The leaked buffers of one call site.
struct Leak {
  segment::LeakKind kind{};
  std::source_location site;
  std::size_t count = 0, bytes = 0;  // of those that were found; see LeakDetector::per()
  std::string held_by;               // the latest holders; empty at `simple`
  std::uint64_t owner = 0;           // of the first one
  CallStack stack;
};

class LeakDetector {
 public:
  static constexpr std::uint32_t kOneIn = 128;
  static constexpr std::size_t kMostWatched = 1 << 16;
  static constexpr std::size_t kMostSites = 256;
  static constexpr std::size_t kSmallPart = 16;     // a buffer is pinned by less than 1/kSmallPart of it
  static constexpr std::size_t kWorthPin = 16'384;  // bytes; smaller buffers are not worth a report
  static constexpr Duration kSweepInterval{2'000};
  static constexpr Duration kLeastAge{30'000};
  struct Rules {
    Duration age = kLeastAge;
    Duration pin{30'000};
  };

  /// `first` is called when a buffer is watched and none was before: sweep() is to be called after kSweepInterval, and
  /// again while watched() is above 0.
  explicit LeakDetector(std::uint64_t seed, std::function<void()> first = {});

  void set_level(LeakDetection level);
  LeakDetection level() const { return level_; }
  void set_rules(const Rules& rules) { rules_ = rules; }
  /// So many buffers were taken for each one that is watched.
  std::uint32_t per() const { return level_ == LeakDetection::paranoid ? 1 : kOneIn; }

  /// Whether the next buffer is to be watched. For each one that is taken.
  bool due() { return --gap_ == 0; }
  /// After due(). Null: there is no room for it.
  WatchedBuffer* watch(std::uint64_t owner, std::size_t capacity, std::source_location site);
  /// The buffer is given back.
  void forget(WatchedBuffer& buffer);
  /// Null: nobody is named.
  void touch(WatchedBuffer& buffer, const char* holder);

  using IsOpen = std::function<bool(std::uint64_t owner)>;
  /// What was found, and was not before.
  std::vector<Leak> sweep(TimePoint now, const IsOpen& is_open);
  /// A buffer that is left at the end of a drain. `watched` may be null. Whether it is new.
  bool left_over(std::uint64_t owner, std::size_t capacity, std::source_location site, const WatchedBuffer* watched);

  const std::vector<Leak>& leaks() const { return leaks_; }
  std::size_t found(segment::LeakKind kind) const { return found_[static_cast<std::size_t>(kind)]; }
  std::size_t watched() const { return watched_.size(); }

 private:
  std::uint64_t random();
  std::uint64_t next_gap();
  std::optional<segment::LeakKind> judge(WatchedBuffer& buffer, TimePoint now, const IsOpen& is_open) const;
  /// Whether it is the first of its sum.
  bool add(Leak leak);

  std::uint64_t random_state_;
  std::function<void()> first_;
  LeakDetection level_ = LeakDetection::paranoid;
  std::uint64_t gap_ = 1;  // buffers until the next one that is watched; 0: never
  Rules rules_;
  std::vector<std::unique_ptr<WatchedBuffer>> watched_, spare_;
  std::vector<Leak> leaks_;
  std::array<std::size_t, segment::kLeakKinds> found_{};
};

/// For the log, one line: "buffer leak (owner-ended): 4096 bytes taken at router/downstream/kept_head.cpp:14, ...".
std::string text_of(const Leak& leak, std::uint32_t per);
/// "router/downstream/kept_head.cpp:14".
std::string text_of(const std::source_location& site);

}  // namespace gray::engine
