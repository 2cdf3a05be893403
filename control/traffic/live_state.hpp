#pragma once
// The state twice: as the routers have it (published), and as it will be once the disk has spoken (wanted). A later
// change of a service supersedes an earlier one that still waits for the disk: an abort must not be undone by the raise
// before it. Main thread; no I/O.
#include <cstdint>
#include <map>
#include <string>

#include "control/state/state_store.hpp"

namespace gray::control {

class LiveState {
 public:
  using Ticket = std::uint64_t;
  explicit LiveState(State state) : published_(state), wanted_(std::move(state)) {}

  const State& published() const { return published_; }
  const State& wanted() const { return wanted_; }

  /// The service shall become `next`; every ticket given for it before is superseded.
  Ticket want(const std::string& service, ServiceState next);
  /// The routers may have it; false, and nothing happens, if the ticket is superseded.
  bool publish(const std::string& service, Ticket ticket);
  /// It could not be persisted: wanted returns to published; false if the ticket is superseded.
  bool withdraw(const std::string& service, Ticket ticket);
  /// The version is stopped by an operator, or no longer: true at once and in both; no ticket is superseded.
  void set_stopped(const std::string& service, const std::string& version, bool stopped);
  /// Both at once, for a reload. Every ticket is superseded.
  void replace(State state);

  /// Only while nothing waits for the disk.
  template <class Io>
  void archive(Io& io);

 private:
  bool is_latest(const std::string& service, Ticket ticket) const;

  State published_, wanted_;
  std::map<std::string, Ticket> latest_;
  Ticket next_ = 1;
};

}  // namespace gray::control
