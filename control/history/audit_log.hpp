#pragma once
// Writes the history: state_dir/history.db (audit_table.hpp), at most kKept changes, the oldest removed first. grayd
// does not need it to start or to serve.
//
// The caller never waits for the disk: one thread writes. While the file cannot be written (full disk, lock of another
// process), up to kQueued changes wait, and writing is tried again; further ones are lost, which is counted and
// reported. A file that cannot be used (damaged, of a newer grayd, not a file) is moved aside, and a new one is begun.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/base/time.hpp"
#include "config/shared/event_record.hpp"
#include "control/history/audit_entry.hpp"

namespace gray::control {

class AuditLog {
 public:
  static constexpr std::size_t kKept = 100'000;  // changes in the file
  static constexpr std::size_t kQueued = 1'000;  // changes that wait to be written
  static constexpr std::size_t kAtOnce = 100;    // changes in one transaction
  static constexpr std::size_t kText = 1'000;    // bytes of a reason; a longer one is cut
  static constexpr Duration kRetry{2'000};       // from a failure to the next try
  /// Gets events of kind history-failed, on the thread of the writer.
  using Report = std::function<void(EventRecord event)>;

  /// Touches no file before resume(): another image of grayd may still take over. Nothing here throws because of the
  /// disk.
  AuditLog(const std::string& state_dir, Report report, std::size_t kept = kKept, Duration retry = kRetry);
  ~AuditLog();  // writes what waits, if the file can be written, then ends the thread
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  /// `entry` without a time gets the current one. Any thread.
  void add(AuditEntry entry);
  std::uint64_t lost() const;  // never written, since the start

  /// Waits until everything is in the file, at most `limit`; then nothing is written until resume(). For an exec: what
  /// was not written is archived.
  void settle(Duration limit);
  void resume();
  template <class Io>
  void archive(Io& io);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gray::control
