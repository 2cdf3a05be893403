#pragma once
// Two copies of the state: as the routers have it (published), and as it will be after a successful save (wanted). A
// later change of a service supersedes an earlier one that is still being saved: an abort must not be undone by an
// earlier raise. Main thread; no I/O.
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "control/state/rollout_store.hpp"

namespace gray::control {

class LiveState {
 public:
  using Ticket = std::uint64_t;
  explicit LiveState(State state) : published_(state), wanted_(std::move(state)) {}

  const State& published() const { return published_; }
  const State& wanted() const { return wanted_; }

  /// Sets the wanted state of the service to `next`; every earlier ticket of the service is superseded by `by`.
  Ticket want(const std::string& service, ServiceState next, Author by);
  /// Who superseded the earlier tickets of the service.
  const Author& last_author(const std::string& service) const;
  /// The change may be published; false, without effect, if the ticket is superseded.
  bool publish(const std::string& service, Ticket ticket);
  /// The change could not be saved: wanted returns to published; false if the ticket is superseded.
  bool withdraw(const std::string& service, Ticket ticket);
  /// A change that applies immediately to both; no ticket is superseded.
  void change(const std::string& service, const std::function<void(ServiceState&)>& edit);
  /// An operator stopped the version, or started it again: applies immediately to both; no ticket is superseded.
  void set_stopped(const std::string& service, const std::string& version, bool stopped);
  /// Sets both, for a reload. Every ticket is superseded.
  void replace(State state);

  /// Only while no change is being saved.
  template <class Io>
  void archive(Io& io);

 private:
  bool is_latest(const std::string& service, Ticket ticket) const;

  State published_, wanted_;
  struct Latest {
    Ticket ticket = 0;
    Author by;
  };
  std::map<std::string, Latest> latest_;
  Ticket next_ = 1;
};

}  // namespace gray::control
