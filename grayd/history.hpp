#pragma once
// The history of grayd: the event log, the workers' output, the journal that answers queries about both, and the timer
// of the journal's long polls. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "config/settings/settings.hpp"
#include "config/shared/event_record.hpp"
#include "control/commands/journal.hpp"
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
  /// Only for a verb of the journal.
  void call(control::Verb verb, const nlohmann::json& args, control::Journal::Done done);
  /// Events that were never written to disk.
  std::uint64_t dropped() const { return events_.dropped(); }
  /// Writes pending events to the disk, for at most `limit`.
  void settle(Duration limit) { events_.settle(limit); }
  /// Waiting callers are answered now, later ones immediately.
  void end() { journal_.end(); }
  /// Callers may wait again.
  void resume() { journal_.resume(); }

  template <class Io>
  void archive(Io& io);

 private:
  std::vector<WorkerOutput> outputs(std::uint64_t sequence) const override { return workers_.outputs(sequence); }
  void arm();

  const supervisor::Supervisor& workers_;
  control::EventLog events_;
  control::Journal journal_;
  asio::steady_timer timer_;
  std::optional<TimePoint> armed_;
  Lifetime lifetime_;
};

}  // namespace gray::master
