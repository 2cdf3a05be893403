#include "router/proxy/tunnel.hpp"

#include "router/http/message.hpp"

namespace gray::proxy {

using segment::Reason;

void Tunnel::open(std::string_view protocol) {
  *this = {};
  websocket_ = http::equals_ignoring_case(protocol, "websocket");
}

void Tunnel::ended(Side from) {
  const bool first = !way(Side::client).ended && !way(Side::worker).ended;
  way(from).ended = true;
  if (first && websocket_ && !closed()) reason_ = from == Side::client ? Reason::client_gone : Reason::upstream_closed;
}

std::string_view Tunnel::close_frame(Side to, std::string_view mask,
                                     std::array<char, http::kMaxCloseFrame>& out) const {
  const Way& theirs = way(to == Side::client ? Side::worker : Side::client);
  if (!websocket_ || theirs.ended || theirs.frames.closed() || !theirs.frames.at_boundary()) return {};
  return {out.data(), http::write_going_away(to == Side::worker ? mask : std::string_view{}, out.data())};
}

}  // namespace gray::proxy
