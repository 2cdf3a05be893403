#pragma once
// What a connection to a worker reports to its owner.
#include "config/base/peer_owner.hpp"
#include "config/base/time.hpp"

namespace gray::proxy {

class Upstream;

class ConnectionOwner {
 public:
  /// The exchange has ended, and the connection may be used again.
  virtual void release(Upstream& upstream) = 0;
  /// To be closed; closed() follows. `suspect`: the worker broke it.
  virtual void discard(Upstream& upstream, bool suspect) = 0;
  /// It was connected to a process of a different user than the worker's; it fails in the same event.
  virtual void met_stranger(Upstream& upstream, const PeerOwner& found) = 0;
  /// Its socket is closed: its units can be given back.
  virtual void closed(Upstream& upstream) = 0;
  /// Its socket was detached from the engine, to be handed to a neighbour.
  virtual void released(Upstream& upstream, int fd) = 0;
  /// The worker has sent 101: no longer one of its sockets.
  virtual void opened_tunnel(Upstream& upstream) = 0;
  /// The exchange of a tunnel is over; see Upstream::leave_tunnel().
  virtual void leave(Upstream& upstream, Duration within) = 0;

 protected:
  ~ConnectionOwner() = default;
};

}  // namespace gray::proxy
