#pragma once
// The listening sockets that an epoll set watches, and the accepting. Several threads and router generations watch the
// same sockets: each wakes alone where the kernel can (EPOLLEXCLUSIVE). The sockets are never closed and never shut
// down here.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "router/engine/engine.hpp"

namespace gray::engine {

class ListenerSet {
 public:
  enum class Accepted : std::uint8_t {
    all,        // the backlog is empty
    some,       // the limit of this turn is reached, more may wait
    exhausted,  // this process is out of descriptors or memory: a level-triggered listener would spin
  };

  /// Watched in `epoll` with `tag | index` as the upper half of the event's data.
  ListenerSet(int epoll, std::uint32_t tag) : epoll_(epoll), tag_(tag) {}

  void add(int fd, AcceptHandler& handler);
  Accepted accept(std::size_t index);
  /// Stops watching for a while; new connections wait in the kernel's backlog and are not refused.
  void pause();
  void resume();
  /// Likewise, until it is called with false; resume() has no effect meanwhile.
  void hold(bool held);
  /// Accepts what the backlogs hold now, then forgets the sockets.
  void finish();

 private:
  struct Listener {
    int fd;
    AcceptHandler* handler;
  };
  void watch(std::size_t index) const;
  void unwatch(const Listener& listener) const;

  int epoll_;
  std::uint32_t tag_;
  std::vector<Listener> listeners_;
  bool held_ = false;
};

}  // namespace gray::engine
