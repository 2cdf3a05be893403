#pragma once
// What a tunnel knows of itself: which of its two ways have ended, how it ended, and, for a WebSocket, where a Close
// frame of ours would be understood. Pure; the bytes themselves pass through the exchange.
//
// Model: each way carries the bytes of one side to the other. A side that says FIN ends its way; the other way goes on.
// The tunnel is over when both have ended. Who ended it badly is judged from outside by resets, and here, for a
// WebSocket, by a FIN without any Close frame before it: what a killed process leaves behind.
#include <array>
#include <cstdint>
#include <string_view>

#include "config/shared/segment.hpp"
#include "router/wire/websocket_frames.hpp"

namespace gray::proxy {

class Tunnel {
 public:
  enum class Side : std::uint8_t { client, worker };

  /// `protocol` is what the 101 says.
  void open(std::string_view protocol);
  /// Bytes of that side have been sent on.
  void passed(Side from, std::string_view bytes) {
    if (websocket_) way(from).frames.feed(bytes);
  }
  /// That side has said FIN.
  void ended(Side from);
  bool has_ended(Side from) const { return way(from).ended; }
  bool over() const { return has_ended(Side::client) && has_ended(Side::worker); }
  /// Why it ended, as far as it can be seen here.
  segment::Reason reason() const { return reason_; }
  /// What is still to be said to that side before our FIN; empty if nothing would be understood. `mask` is four bytes.
  std::string_view close_frame(Side to, std::string_view mask, std::array<char, http::kMaxCloseFrame>& out) const;

 private:
  struct Way {
    http::WebSocketFrames frames;
    bool ended = false;
  };
  Way& way(Side from) { return ways_[static_cast<std::size_t>(from)]; }
  const Way& way(Side from) const { return ways_[static_cast<std::size_t>(from)]; }
  bool closed() const { return ways_[0].frames.closed() || ways_[1].frames.closed(); }

  std::array<Way, 2> ways_;
  bool websocket_ = false;
  segment::Reason reason_ = segment::Reason::none;
};

}  // namespace gray::proxy
