#pragma once
// What happened, what the workers wrote, and who waits for more of it: the event log, the journal that answers about
// it, and the timer of the journal's long polls. Main thread.
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
  /// Workers wrote something.
  void output_kept();
  /// Only a verb that the journal knows.
  void call(control::Verb verb, const nlohmann::json& args, control::Journal::Done done);
  /// Events that were never written to disk.
  std::uint64_t dropped() const { return events_.dropped(); }
  /// Lets the disk take what it can within `limit`.
  void settle(Duration limit) { events_.settle(limit); }
  /// Callers who wait are answered now, later ones at once.
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
