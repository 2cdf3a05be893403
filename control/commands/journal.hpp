#pragma once
// The verbs that tell what happened: `events`, and `logs` (what the workers wrote). Both answer with what comes after a
// number, wait for it if they are asked to (wait_ms), and say from which number on to ask next. Main thread.
//
//   events  after, count, wait_ms, service, version            {"events": [...], "oldest", "last"}
//   logs    after, count, wait_ms, service, version, worker    {"lines": [...], "last"}
//
// Arguments are numbers or their digits, as a query has them.
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

/// Where the lines of the workers are.
class OutputSource {
 public:
  virtual ~OutputSource() = default;
  /// Of every worker whose output is kept, the lines that came after `sequence`; valid until the loop goes on.
  virtual std::vector<WorkerOutput> outputs(std::uint64_t sequence) const = 0;
};

class Journal {
 public:
  static constexpr std::uint64_t kMostWait = 5'000;   // ms
  static constexpr std::uint64_t kMostLines = 1'000;  // in one answer
  static constexpr std::size_t kMostBytes = 1 << 20;  // of lines in one answer
  static constexpr std::uint64_t kUsualLines = 100;   // in an answer to who names no count
  using Done = std::function<void(Reply)>;

  /// All three outlive it.
  Journal(const Settings& settings, const EventLog& events, const OutputSource& outputs)
      : settings_(settings), events_(events), outputs_(outputs) {}

  static bool knows(Verb verb) { return handler_of(verb) != nullptr; }
  /// Only a verb that it knows.
  void call(Verb verb, const nlohmann::json& args, TimePoint now, Done done);
  /// There is an event more, or a line of a worker.
  void changed(TimePoint now) { polls_.changed(now); }
  /// When advance() is due; nothing while nobody waits.
  std::optional<TimePoint> due() const { return polls_.due(); }
  void advance(TimePoint now) { polls_.advance(now); }
  /// Whoever waits is answered now.
  void release() { polls_.release(); }
  /// grayd ends: nobody waits any longer.
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
