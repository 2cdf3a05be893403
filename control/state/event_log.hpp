#pragma once
// What happened, bounded twice: the last kKept events in memory, and as JSON lines on disk in state_dir/events.log (and
// events.log.1, the file before it), about twice kFileBytes in all. A new grayd goes on with number and file of the
// last.
//
// The caller never waits for the disk: one thread writes. What the disk did not take is counted, kept in memory all the
// same, and told by an event of its own after the next one that it takes.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "config/shared/event_record.hpp"

namespace gray::control {

class EventLog {
 public:
  static constexpr std::size_t kKept = 1'000;         // events in memory
  static constexpr std::size_t kQueued = 1'000;       // events that may wait for the disk
  static constexpr std::size_t kFileBytes = 1 << 20;  // of one file
  static constexpr std::size_t kText = 1'000;         // bytes of an event's text; the rest is cut

  /// Reads what earlier ones left in `dir`, which exists; damaged lines are skipped. Never throws for the disk's sake.
  explicit EventLog(const std::string& dir, std::size_t file_bytes = kFileBytes);
  ~EventLog();  // writes what is queued, then ends the thread
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// Gives it number and time, keeps it, and leaves it to the writer. Any thread.
  void add(EventRecord event);
  /// Those after number `sequence` that are kept, oldest first. Any thread.
  std::vector<EventRecord> after(std::uint64_t sequence) const;
  std::uint64_t last() const;     // number of the newest; 0: there is none
  std::uint64_t oldest() const;   // number of the oldest that is kept; last() + 1: none is
  std::uint64_t dropped() const;  // never written to disk, since the start

  /// With those that the disk has not taken so far. Before a save: settle().
  template <class Io>
  void archive(Io& io);
  /// Waits until everything is on disk and the writer rests, at most `limit`: a write must not be cut in two.
  void settle(Duration limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gray::control
