#pragma once
// The verbs that tell what happened: `events`, and `logs` (what the workers wrote). Both answer with what comes after a
// number, wait for it if they are asked to (wait_ms), and say from which number on to ask next. Main thread.
//
//   events  after, count, wait_ms, service, version            {"events": [...], "oldest", "last"}
//   logs    after, count, wait_ms, service, version, worker    {"lines": [...], "last"}
//
// Arguments are numbers or their digits, as a query has them.
#include <functional>
#include <string>
#include <vector>

#include "config/settings/settings.hpp"
#include "control/daemon.hpp"
#include "control/state/event_log.hpp"
#include "control/verbs/verb_table.hpp"
#include "grayd/followers.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::master {

class Journal {
 public:
  static constexpr std::uint64_t kMostWait = 5'000;   // ms
  static constexpr std::uint64_t kMostLines = 1'000;  // in one answer
  static constexpr std::size_t kMostBytes = 1 << 20;  // of lines in one answer
  static constexpr std::uint64_t kUsualLines = 100;   // in an answer to who names no count
  using Done = std::function<void(control::Reply)>;
  using Outputs = std::function<std::vector<supervisor::WorkerOutput>()>;

  Journal(asio::io_context& io, const Settings& settings, const control::EventLog& events, Outputs outputs)
      : settings_(settings), events_(events), outputs_(std::move(outputs)), followers_(io) {}

  static bool knows(control::Verb verb) { return handler_of(verb) != nullptr; }
  /// Only a verb that it knows.
  void call(control::Verb verb, const nlohmann::json& args, Done done);
  /// Whoever waits is answered now.
  void release() { followers_.release(); }
  /// grayd ends: nobody waits any longer.
  void end() { followers_.end(); }

 private:
  using Handler = void (Journal::*)(const nlohmann::json& args, Done done);
  static Handler handler_of(control::Verb verb);
  void events(const nlohmann::json& args, Done done);
  void logs(const nlohmann::json& args, Done done);

  const Settings& settings_;
  const control::EventLog& events_;
  Outputs outputs_;
  Followers followers_;
};

}  // namespace gray::master
