// What an exchange holds, and what it waits for, for reports.
#include "router/proxy/exchange.hpp"

namespace gray::proxy {

WaitsFor Exchange::waits_for() const {
  switch (state_) {
    case State::idle: return WaitsFor::next_request;
    case State::gathering: return WaitsFor::client_body;
    case State::seeking:
    case State::waiting:
    case State::judging: return WaitsFor::socket;
    case State::dialing: return WaitsFor::worker_connect;
    case State::sending: return attempt_.worker_behind ? WaitsFor::worker_read : WaitsFor::client_body;
    case State::awaiting:
    case State::dropping: return WaitsFor::worker_answer;
    case State::early:
    case State::responding: return client_->behind() ? WaitsFor::client_read : WaitsFor::worker_send;
    case State::tunnel:
      if (client_->backed_up()) return WaitsFor::client_read;
      return attempt_.worker_behind ? WaitsFor::worker_read : WaitsFor::either_side;
    case State::count: break;
  }
  return WaitsFor::next_request;
}

ExchangeMemory Exchange::memory(bool with_kernel) const {
  ExchangeMemory memory{.queued = state_ == State::waiting,
                        .tunnel = state_ == State::tunnel,
                        .waits_for = waits_for(),
                        .process = replay_.held() + kept_.held(),
                        .client = &routing_.client(),
                        .path = request_.path,
                        .since = record_.started};
  if (const Version* version = routing_.version()) memory.row = version->row;
  if (attempt_.side == nullptr) return memory;
  memory.worker = attempt_.worker;
  memory.side = attempt_.side->memory(with_kernel);
  if (state_ == State::awaiting && memory.side.unsent > 0) memory.waits_for = WaitsFor::worker_read;
  return memory;
}

}  // namespace gray::proxy
