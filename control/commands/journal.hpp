#pragma once
// The verbs `events` and `logs` (the output of the workers). Both answer with the entries after a number, wait for new
// ones if asked to (wait_ms), and give the number for the next call. Main thread.
//
//   events  after, count, wait_ms, service, version            {"events": [...], "oldest", "last"}
//   logs    after, count, wait_ms, service, version, worker    {"lines": [...], "last"}
//
// Numbers may also be digits in text, as in a query.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/worker_output.hpp"
#include "control/commands/long_polls.hpp"
#include "control/daemon.hpp"
#include "control/state/event_log.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

/// The source of the lines of the workers.
class OutputSource {
 public:
  virtual ~OutputSource() = default;
  /// The lines after `sequence` of every worker whose output is kept; valid until the next turn of the loop.
  virtual std::vector<WorkerOutput> outputs(std::uint64_t sequence) const = 0;
};

class Journal {
 public:
  static constexpr std::uint64_t kMostWait = 5'000;   // ms
  static constexpr std::uint64_t kMostLines = 1'000;  // most lines in one answer
  static constexpr std::size_t kMostBytes = 1 << 20;  // most bytes of lines in one answer
  static constexpr std::uint64_t kUsualLines = 100;   // lines in an answer if no count is given
  using Done = std::function<void(Reply)>;

  /// All three must outlive it.
  Journal(const Settings& settings, const EventLog& events, const OutputSource& outputs)
      : settings_(settings), events_(events), outputs_(outputs) {}

  static bool knows(Verb verb) { return handler_of(verb) != nullptr; }
  /// Only for the two verbs.
  void call(Verb verb, const nlohmann::json& args, TimePoint now, Done done);
  /// Reports a new event or a new line of a worker.
  void changed(TimePoint now) { polls_.changed(now); }
  /// The time for the next advance(); nothing while no caller waits.
  std::optional<TimePoint> due() const { return polls_.due(); }
  void advance(TimePoint now) { polls_.advance(now); }
  /// After end(): callers may wait again.
  void resume() { polls_.resume(); }
  /// Answers all callers now, and later ones at once.
  void end() { polls_.end(); }

 private:
  using Handler = void (Journal::*)(const nlohmann::json& args, TimePoint now, Done done);
  static Handler handler_of(Verb verb);
  void events(const nlohmann::json& args, TimePoint now, Done done);
  void logs(const nlohmann::json& args, TimePoint now, Done done);

  const Settings& settings_;
  const EventLog& events_;
  const OutputSource& outputs_;
  LongPolls polls_;
};

}  // namespace gray::control
