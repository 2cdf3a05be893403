#pragma once
// The access log of one router thread: whole lines gathered in a bounded buffer and appended to the shared file by
// write(2). One thread; `now` is passed in; it allocates nothing after construction.
//
// Invariants
//  - A write begins at the start of a line, or continues the line that the previous write cut. The file is opened
//    O_APPEND, so lines of other threads and routers never land inside ours unless the kernel cuts a write short.
//  - A log that cannot take more costs the data path one failed write(2), never a wait: a full pipe keeps the lines for
//    the next flush interval, any other error (a full disk) drops them, and so does a full buffer. What was dropped is
//    counted. The next write that succeeds ends this state.
//  - SIGPIPE is ignored in the router, so a closed pipe is an error like any other.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::stats {

inline constexpr std::size_t kAccessBuffer = 64 * 1024;  // bytes

class AccessLog {
 public:
  /// An empty `fd` is off. Each thread owns a dup(2) of the file, so that none closes it under another. Lines are
  /// written when the buffer is half full, or `interval` after the first one that waits.
  AccessLog(UniqueFd fd, Duration interval);

  bool enabled() const { return static_cast<bool>(fd_); }  // off: skip the formatting
  /// Where the next line may be written, of at most `bytes`; added() follows. Null when off, and when the buffer has
  /// not so much room: the line is then counted as dropped.
  char* room(std::size_t bytes);
  /// `bytes` of the room, line end included, are a line now.
  void added(std::size_t bytes, TimePoint now);
  /// Adds one line with its line end, or drops it. No-op when off.
  void append(std::string_view line, TimePoint now);
  /// Flushes if the deadline has passed.
  void on_time(TimePoint now);
  /// Writes what it can now. Call before the router says `drained`.
  void flush(TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  /// Writes to `fd` from now on; empty: off. Lines that the old file did not take go to the new one; a cut line is
  /// lost.
  void reopen(UniqueFd fd, TimePoint now);

  std::size_t buffered() const { return used_; }      // bytes
  std::uint64_t dropped() const { return dropped_; }  // lines, since the start

 private:
  void consume(std::size_t bytes);
  void drop_whole_lines();

  UniqueFd fd_;
  Duration interval_;
  std::unique_ptr<char[]> buffer_;
  std::size_t used_ = 0;
  std::size_t cut_ = 0;   // bytes at the start of the buffer: the rest of a line whose beginning is written
  bool blocked_ = false;  // the last write would have blocked: the next one waits for the deadline
  TimePoint deadline_{};  // meaningful while used_ > 0
  std::uint64_t dropped_ = 0;
};

}  // namespace gray::stats
