#pragma once
// The limits of one service: every bounded count, size and time of the data path.
#include <cstdint>

#include "config/base/time.hpp"

namespace gray {

/// Contract: `[service.NAME.limits]`. 0 means none, never "unlimited".
struct Limits {
  std::uint32_t max_sockets = 64;  // 1..65535, open sockets to one worker, across threads and routers
  std::uint32_t tunnels = 512;     // 0..65535, upgraded connections to one worker, counted separately from its sockets
  std::uint32_t queue = 256;       // 0..65535, requests waiting for one version
  bool queue_grows = true;         // `queue` was left out: more may wait while their wait is short
  Duration queue_timeout{1'000};
  Duration connect_timeout{2'000};
  Duration request_timeout{60'000};  // to the first byte of the response
  Duration head_timeout{10'000};     // to receive the whole request head
  Duration idle_timeout{75'000};     // client keep-alive
  Duration upstream_idle{4'000};     // an unused socket to a worker; below Node's own 5 s
  Duration tunnel_idle{3'600'000};   // an upgraded connection on which neither side sends anything
  std::uint64_t head = 32 * 1024;    // bytes, request or response head in all; 1 KiB..1 MiB
  std::uint32_t fields = 100;        // 1..1000
  std::uint64_t body = 1ull << 30;   // bytes of a request body
  std::uint64_t min_rate = 1024;     // least bytes per second of a client, averaged over 30 s; 0: any progress
  template <class Io>
  void archive(Io& io) {
    io("max_sockets", max_sockets);
    io("tunnels", tunnels);
    io("queue", queue);
    io("queue_grows", queue_grows);
    io("queue_timeout", queue_timeout);
    io("connect_timeout", connect_timeout);
    io("request_timeout", request_timeout);
    io("head_timeout", head_timeout);
    io("idle_timeout", idle_timeout);
    io("upstream_idle", upstream_idle);
    io("tunnel_idle", tunnel_idle);
    io("head", head);
    io("fields", fields);
    io("body", body);
    io("min_rate", min_rate);
  }
  bool operator==(const Limits&) const = default;
};

}  // namespace gray
