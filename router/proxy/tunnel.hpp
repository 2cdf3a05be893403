#pragma once
// The part of an exchange that follows an upgrade: passes bytes both ways between a client side and a worker side, as
// they are, until both have ended, and judges how that end came about.
//
// Model: each way carries the bytes of one side to the other. A FIN ends one way and is passed on behind the bytes
// before it; the other way stays open. The tunnel is over when both ways have ended, or when its time is up: then both
// sides get a Close frame where they can understand one, and FIN. Resets are not seen here: the exchange cuts both
// sides. A WebSocket whose first FIN has no Close frame before it was broken by that side: a killed process leaves
// this behind.
//
// The frames of a WebSocket are tracked for any client: over HTTP/2 (RFC 8441) the same frames travel in DATA. The
// tracker is a member by value, so that an upgrade allocates nothing; this is why the header includes it.
#include <array>
#include <cstdint>
#include <string_view>

#include "config/shared/segment.hpp"
#include "router/backends/outbox.hpp"
#include "router/backends/worker_side.hpp"
#include "router/proxy/client_side.hpp"
#include "router/wire/websocket_frames.hpp"

namespace gray::proxy {

class Tunnel {
 public:
  explicit Tunnel(Outbox& outbox) : outbox_(outbox) {}
  /// Before open().
  void serve(ClientSide& client) { client_ = &client; }

  /// `protocol` as the 101 names it. `worker` is used until close(), expire() or the next open().
  void open(WorkerSide& worker, std::string_view protocol);
  void client_bytes(std::string_view bytes);
  void worker_bytes(std::string_view bytes);
  /// That side has sent FIN. True: both have, and close() is next.
  bool client_ended();
  bool worker_ended();
  /// Both sides have sent FIN: what is unsent is still sent. Returns why the tunnel ended, as far as its bytes tell.
  segment::Reason close();
  /// Its time is up: sends both sides a Close frame, if they can understand one, and FIN; nothing more is read.
  /// `mask` is four bytes.
  void expire(std::string_view mask);

 private:
  enum class From : std::uint8_t { client, worker };
  struct Way {
    http::WebSocketFrames frames;
    bool ended = false;
  };

  Way& way(From side) { return ways_[static_cast<std::size_t>(side)]; }
  void track(From side, std::string_view bytes) {
    if (websocket_) way(side).frames.feed(bytes);
  }
  bool end(From side);
  /// A Close frame can follow what `side` has sent so far.
  bool takes_close(From side);

  Outbox& outbox_;
  ClientSide* client_ = nullptr;
  WorkerSide* worker_ = nullptr;
  std::array<Way, 2> ways_;
  bool websocket_ = false;
  segment::Reason reason_ = segment::Reason::none;
};

}  // namespace gray::proxy
