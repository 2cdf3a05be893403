#include "grayd/history.hpp"

#include <asio/post.hpp>
#include <utility>

#include "config/base/archive.hpp"
#include "config/base/log.hpp"
#include "control/commands/audit_entries.hpp"
#include "control/commands/history_verb.hpp"

namespace gray::master {

History::History(asio::io_context& io, const Settings& settings, const supervisor::Supervisor& workers)
    : io_(io),
      settings_(settings),
      workers_(workers),
      events_(settings.state_dir),
      journal_(settings, events_, *this),
      timer_(io),
      audit_(settings.state_dir,
             [this](EventRecord event) {
               asio::post(io_, lifetime_.guard([this, event = std::move(event)] {
                 log(LogLevel::warn, event.text);
                 emit(event);
               }));
             }),
      reader_(settings.state_dir) {}

void History::emit(EventRecord event) {
  if (auto entry = control::audit_of(event)) record(std::move(*entry));
  events_.add(std::move(event));
  journal_.changed(Clock::now());
  arm();
}

void History::output_kept() {
  journal_.changed(Clock::now());
  arm();
}

void History::settle(Duration limit) {
  events_.settle(limit);
  audit_.settle(limit);
}

void History::resume() {
  journal_.resume();
  audit_.resume();
}

/// The caller waits for the disk, the main thread does not.
void History::call_history(const nlohmann::json& args, control::Journal::Done done) {
  auto question = control::history_question(args);
  if (!question.error.empty()) return done(control::refusal(ExitCode::usage, std::move(question.error)));
  auto answered = [this, done, query = question.query](control::AuditAnswer answer) {
    asio::post(io_, lifetime_.guard([this, done, query, answer = std::move(answer)] {
      done(control::history_reply(query, answer, settings_));
    }));
  };
  if (!reader_.ask(std::move(question.query), std::move(answered)))
    done(control::refusal(ExitCode::conflict, "too many callers read the history; try again"));
}

void History::call(control::Verb verb, const nlohmann::json& args, control::Journal::Done done) {
  if (verb == control::Verb::history) return call_history(args, std::move(done));
  journal_.call(verb, args, Clock::now(), std::move(done));
  arm();
}

/// A timer that fires too early does no harm: it finds nothing to do and is armed again.
void History::arm() {
  const auto due = journal_.due();
  if (!due || (armed_ && *armed_ <= *due)) return;
  armed_ = due;
  timer_.expires_at(*due);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (error) return;  // cancelled: armed again for an earlier time
    armed_.reset();
    journal_.advance(Clock::now());
    arm();
  }));
}

template <class Io>
void History::archive(Io& io) {
  io("events", events_);
  io("audit", audit_);
}
template void History::archive(Save&);
template void History::archive(Load&);

}  // namespace gray::master
