#pragma once
// A probe of a worker, which the master orders and a router carries out. Values; several share a message.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "config/base/address.hpp"
#include "config/base/peer_owner.hpp"
#include "config/base/time.hpp"
#include "config/settings/settings.hpp"

namespace gray {

struct ProbeOrder {
  std::uint64_t id = 0;
  std::uint32_t cell = 0;  // of the worker
  Address address;
  uid_t owner = 0;  // the user who must be behind the address
  HttpProbe http;   // the request; without a path connect only
  Duration timeout{0};

  template <class Io>
  void archive(Io& io) {
    io("id", id);
    io("cell", cell);
    io("address", address);
    io("owner", owner);
    io("http", http);
    io("timeout", timeout);
  }
};

struct ProbeOutcome {
  std::uint64_t id = 0;
  bool ok = false;
  std::string detail;             // "connect: Connection refused"
  std::optional<PeerOwner> peer;  // the process behind the address, if it is known

  template <class Io>
  void archive(Io& io) {
    io("id", id);
    io("ok", ok);
    io("detail", detail);
    io("peer", peer);
  }
};

}  // namespace gray
