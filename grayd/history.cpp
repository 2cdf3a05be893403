#include "grayd/history.hpp"

#include <utility>

#include "config/base/archive.hpp"

namespace gray::master {

History::History(asio::io_context& io, const Settings& settings, const supervisor::Supervisor& workers)
    : workers_(workers), events_(settings.state_dir), journal_(settings, events_, *this), timer_(io) {}

void History::emit(EventRecord event) {
  events_.add(std::move(event));
  journal_.changed(Clock::now());
  arm();
}

void History::output_kept() {
  journal_.changed(Clock::now());
  arm();
}

void History::call(control::Verb verb, const nlohmann::json& args, control::Journal::Done done) {
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
}
template void History::archive(Save&);
template void History::archive(Load&);

}  // namespace gray::master
