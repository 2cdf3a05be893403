#include "router/proxy/tunnel.hpp"

#include <utility>

#include "router/http/message.hpp"

namespace gray::proxy {

using segment::Reason;

namespace {

constexpr Duration kTunnelFlush{30'000};  // for a worker to take the rest
constexpr Duration kGracePeriod{1'000};   // for a worker to end after our FIN

}  // namespace

void Tunnel::open(WorkerSide& worker, std::string_view protocol) {
  worker_ = &worker;
  ways_ = {};
  websocket_ = http::equals_ignoring_case(protocol, "websocket");
  reason_ = Reason::none;
}

void Tunnel::client_bytes(std::string_view bytes) {
  track(From::client, bytes);
  worker_->send_raw(bytes);
}

void Tunnel::worker_bytes(std::string_view bytes) {
  track(From::worker, bytes);
  client_->response_data(bytes);
}

bool Tunnel::client_ended() {
  if (end(From::client)) return true;
  outbox_.flush();
  worker_->finish();
  return false;
}

bool Tunnel::worker_ended() {
  if (end(From::worker)) return true;
  outbox_.flush();
  client_->finish();
  return false;
}

bool Tunnel::end(From side) {
  const Way& other = way(side == From::client ? From::worker : From::client);
  way(side).ended = true;
  if (other.ended) return true;
  if (websocket_ && !way(side).frames.closed() && !other.frames.closed())
    reason_ = side == From::client ? Reason::client_gone : Reason::upstream_closed;
  return false;
}

Reason Tunnel::close() {
  client_->end_response(false);
  std::exchange(worker_, nullptr)->leave(kTunnelFlush);
  return reason_;
}

bool Tunnel::takes_close(From side) {
  const Way& sent = way(side);
  return websocket_ && !sent.ended && !sent.frames.closed() && sent.frames.at_boundary();
}

void Tunnel::expire(std::string_view mask) {
  std::array<char, http::kMaxCloseFrame> frame;
  if (takes_close(From::client)) worker_->send_raw({frame.data(), http::write_going_away(mask, frame.data())});
  if (takes_close(From::worker)) client_->response_data({frame.data(), http::write_going_away({}, frame.data())});
  client_->end_response(true);
  std::exchange(worker_, nullptr)->leave(kGracePeriod);
}

}  // namespace gray::proxy
