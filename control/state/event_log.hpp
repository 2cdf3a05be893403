#pragma once
// The log of events, bounded in two places: the last kKept events in memory, and JSON lines on disk in
// state_dir/events.log (and events.log.1, the previous file), about twice kFileBytes in all. A new grayd continues with
// the numbers and the file of the previous one.
//
// The caller never waits for the disk: one thread writes. Events that could not be written are counted, are still kept
// in memory, and are reported by a separate event after the next successful write.
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
  static constexpr std::size_t kQueued = 1'000;       // events that may wait to be written
  static constexpr std::size_t kFileBytes = 1 << 20;  // of one file
  static constexpr std::size_t kText = 1'000;         // bytes of the text of an event; longer text is cut

  /// Reads the events of earlier runs in `dir`, which must exist; damaged lines are skipped. Disk errors never throw.
  explicit EventLog(const std::string& dir, std::size_t file_bytes = kFileBytes);
  ~EventLog();  // writes what is queued, then ends the thread
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// Adds number and time, keeps the event, and passes it to the writer. Any thread.
  void add(EventRecord event);
  /// The kept events after number `sequence`, oldest first. Any thread.
  std::vector<EventRecord> after(std::uint64_t sequence) const;
  std::uint64_t last() const;     // number of the newest; 0: none
  std::uint64_t oldest() const;   // number of the oldest that is kept; last() + 1: none
  std::uint64_t dropped() const;  // could not be written to disk, since the start

  /// Includes the events that are not yet written. Call settle() before a save.
  template <class Io>
  void archive(Io& io);
  /// Waits until everything is on disk and the writer is idle, at most `limit`: a write must not be interrupted.
  void settle(Duration limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gray::control
