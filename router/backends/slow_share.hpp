#pragma once
// The sockets of a version that requests of slow clients hold, and what they may hold: a socket is scarce, and must not
// belong to whoever is slowest.
//
// Model: a request counts as slow if its client was cut lately (policy/slow_clients.hpp), if its body came slowly
// before it had a socket, or if its client is measured to be slow while it holds one (policy/pace.hpp).
//  - A slow request gets a socket while slow ones hold fewer than half of the version's sockets, or while a quarter of
//    the sockets stays unused.
//  - While other requests wait, slow ones that hold more than half are cut, the slowest first. Only measured ones are.
//    Nobody is cut while nobody waits.
//
// The number of slow requests with a socket is exact across threads and routers: VersionCell::slow. The measured ones
// are listed by the thread that has them. One thread.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/shared/segment.hpp"
#include "router/backends/version.hpp"

namespace gray::proxy {

/// A request as far as its client's speed matters.
class SlowRequest {
 public:
  /// Its socket is needed: it ends, and calls leave().
  virtual void cut_as_slow() = 0;

  bool slow = false;  // before it has a socket

 protected:
  ~SlowRequest() = default;

 private:
  friend class SlowShare;
  bool counted_ = false;  // holds a unit of VersionCell::slow
  bool listed_ = false;   // its client is measured to be slow
  std::uint64_t rate_ = 0;
};

class SlowShare {
 public:
  SlowShare(segment::Layout& layout, std::uint32_t router_slot)
      : layout_(layout), router_slot_(router_slot), measured_(segment::kVersions) {}

  /// Whether one more slow request may have a socket of this version.
  bool admits(const Version& version) const;
  /// Sockets that slow requests hold beyond their share: they are cut for requests that wait.
  std::uint32_t excess(const Version& version) const;
  /// Idle sockets of all threads of this router. They are open, but unused.
  std::uint32_t idle(const Version& version) const;

  /// It has a socket now, and counts as slow.
  void count(const Version& version, SlowRequest& request);
  /// Its client moves `rate` bytes per second, which is slow.
  void measured(const Version& version, SlowRequest& request, std::uint64_t rate);
  /// It is not slow any more, or has no socket any more. May be called at any time.
  void leave(const Version& version, SlowRequest& request);

  /// For a waiting request: cuts the slowest one of this thread, if slow ones hold more than their share and it is
  /// slower than `than` bytes per second. False: nothing is cut.
  bool cut(const Version& version, std::uint64_t than);

 private:
  segment::Layout& layout_;
  std::uint32_t router_slot_;
  std::vector<std::vector<SlowRequest*>> measured_;  // by row
};

}  // namespace gray::proxy
