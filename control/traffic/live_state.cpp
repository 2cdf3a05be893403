#include "control/traffic/live_state.hpp"

#include "config/base/archive.hpp"

namespace gray::control {

LiveState::Ticket LiveState::want(const std::string& service, ServiceState next, Author by) {
  wanted_[service] = std::move(next);
  latest_[service] = {next_, std::move(by)};
  return next_++;
}

const Author& LiveState::last_author(const std::string& service) const {
  static const Author kReload{"grayd", "reload"};  // it superseded every ticket
  const auto found = latest_.find(service);
  return found == latest_.end() ? kReload : found->second.by;
}

bool LiveState::publish(const std::string& service, Ticket ticket) {
  if (!is_latest(service, ticket)) return false;
  published_[service] = wanted_[service];
  return true;
}

bool LiveState::withdraw(const std::string& service, Ticket ticket) {
  if (!is_latest(service, ticket)) return false;
  if (const auto before = published_.find(service); before != published_.end()) {
    wanted_[service] = before->second;
  } else {
    wanted_.erase(service);
  }
  return true;
}

void LiveState::change(const std::string& service, const std::function<void(ServiceState&)>& edit) {
  for (State* state : {&published_, &wanted_}) edit((*state)[service]);
}

void LiveState::set_stopped(const std::string& service, const std::string& version, bool stopped) {
  change(service, [&](ServiceState& state) {
    if (stopped) {
      state.stopped.insert(version);
    } else {
      state.stopped.erase(version);
    }
  });
}

void LiveState::replace(State state) {
  published_ = wanted_ = std::move(state);
  latest_.clear();
}

template <class Io>
void LiveState::archive(Io& io) {
  auto state = published_;
  io("state", state);
  if constexpr (Io::kLoads) replace(std::move(state));
}
template void LiveState::archive(Save&);
template void LiveState::archive(Load&);

bool LiveState::is_latest(const std::string& service, Ticket ticket) const {
  const auto found = latest_.find(service);
  return found != latest_.end() && found->second.ticket == ticket;
}

}  // namespace gray::control
