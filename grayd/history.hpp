#pragma once
// The history of grayd: the event log, the workers' output, the journal that answers queries about both, the timer of
// the journal's long polls, and the changes in history.db, with their writer and their reader. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "config/settings/settings.hpp"
#include "config/shared/event_record.hpp"
#include "control/commands/journal.hpp"
#include "control/history/audit_log.hpp"
#include "control/history/audit_reader.hpp"
#include "control/state/event_log.hpp"
#include "grayd/process/lifetime.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::master {

class History final : public EventSink, control::OutputSource {
 public:
  /// All three outlive it.
  History(asio::io_context& io, const Settings& settings, const supervisor::Supervisor& workers);

  void emit(EventRecord event) override;
  /// New worker output is available.
  void output_kept();
  /// Adds a change to history.db.
  void record(control::AuditEntry entry) { audit_.add(std::move(entry)); }
  static bool knows(control::Verb verb) { return verb == control::Verb::history || control::Journal::knows(verb); }
  void call(control::Verb verb, const nlohmann::json& args, control::Journal::Done done);
  /// Events that were never written to disk.
  std::uint64_t dropped() const { return events_.dropped(); }
  /// Writes pending events and changes to the disk, for at most `limit` each. Then history.db is not touched until
  /// resume().
  void settle(Duration limit);
  /// Waiting callers are answered now, later ones immediately.
  void end() { journal_.end(); }
  /// Callers may wait again, and history.db is written. To be called at the start.
  void resume();

  template <class Io>
  void archive(Io& io);

 private:
  std::vector<WorkerOutput> outputs(std::uint64_t sequence) const override { return workers_.outputs(sequence); }
  void arm();
  void call_history(const nlohmann::json& args, control::Journal::Done done);

  asio::io_context& io_;
  const Settings& settings_;
  const supervisor::Supervisor& workers_;
  control::EventLog events_;
  control::Journal journal_;
  asio::steady_timer timer_;
  std::optional<TimePoint> armed_;
  Lifetime lifetime_;
  control::AuditLog audit_;  // its thread and that of the reader use the two above
  control::AuditReader reader_;
};

}  // namespace gray::master
