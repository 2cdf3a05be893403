// The last part of an exchange that was upgraded: bytes both ways, as they come, until both sides have ended.
#include "router/proxy/exchange.hpp"
#include "router/proxy/recorder.hpp"

namespace gray::proxy {

using segment::Reason;
using TunnelSide = Tunnel::Side;

namespace {

constexpr http::Fault kNoTunnel{503, "tunnels", "all tunnels to the workers of this version are in use", 0};
constexpr Duration kTunnelFlush{30'000};  // for a worker to take the rest
constexpr Duration kGracePeriod{1'000};   // for a worker to end after our FIN

}  // namespace

Reason Exchange::no_tunnel() {
  record_.fault = kNoTunnel;
  return Reason::overloaded;
}

void Exchange::exhausted_tunnels() {
  record_.fault = kNoTunnel;
  exhausted();
}

void Exchange::upgraded(const http::Response& head, std::string_view protocol) {
  protocol_ = protocol;
  response_ = &head;
  feed(Event::upgraded);
  response_ = nullptr;
}

void Exchange::open_tunnel() {
  const http::Response& head = *response_;
  begin_answer();
  tunnel_.open(protocol_);
  http::ResponseExtras extras = response_extras();
  extras.upgrade = protocol_;
  routing_.version()->service_time.add(std::chrono::duration_cast<Micros>(record_.first_byte - record_.granted));
  accepts_body_ = true;
  client_.open_tunnel(head, extras);
}

void Exchange::client_bytes(std::string_view bytes) {
  record_.counts.bytes_in += bytes.size();
  tunnel_.passed(TunnelSide::client, bytes);
  attempt_.side->send_raw(bytes);
  arm(stall_limit());
}

void Exchange::worker_bytes(std::string_view bytes) {
  record_.counts.bytes_out += bytes.size();
  tunnel_.passed(TunnelSide::worker, bytes);
  client_.response_data(bytes);
  arm(stall_limit());
}

void Exchange::client_ended() {
  tunnel_.ended(TunnelSide::client);
  if (tunnel_.over()) return feed(Event::response_end);
  context_.shard.outbox.flush();
  attempt_.side->finish();
}

void Exchange::worker_ended() {
  tunnel_.ended(TunnelSide::worker);
  if (tunnel_.over()) return feed(Event::response_end);
  context_.shard.outbox.flush();
  client_.finish();
}

void Exchange::end_tunnel(Reason reason) {
  record_.counts.reason = reason;
  feed(Event::deadline);
  context_.shard.outbox.flush();
}

// Both have said FIN and were told of the other's: what is left to send is sent.
void Exchange::close_tunnel() {
  record_.counts.reason = tunnel_.reason();
  client_.end_response(false);
  std::exchange(attempt_.side, nullptr)->leave(kTunnelFlush);
  conclude();
  client_.done();
}

// Its time is up: both sides are told in their own words where they would understand it, then by FIN, and are heard no
// more.
void Exchange::part() {
  std::array<char, 32> id;
  context_.recorder.make_id(id);
  const std::string_view mask(id.data() + 16, 4);  // of the half that changes
  std::array<char, http::kMaxCloseFrame> frame;
  if (const auto words = tunnel_.close_frame(TunnelSide::worker, mask, frame); !words.empty())
    attempt_.side->send_raw(words);
  if (const auto words = tunnel_.close_frame(TunnelSide::client, mask, frame); !words.empty())
    client_.response_data(words);
  client_.end_response(true);
  std::exchange(attempt_.side, nullptr)->leave(kGracePeriod);
  conclude();
  client_.done();
}

}  // namespace gray::proxy
