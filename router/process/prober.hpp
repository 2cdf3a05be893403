#pragma once
// Health and readiness probes, through the same engine and parser as the traffic, each on a socket of its own that does
// not count in max_sockets. A probe ends exactly once: answered, failed, or timed out; the result is reported at once.
// The object lives until its socket is closed. However many probes are in flight, each costs the same.
#include <unistd.h>

#include <functional>
#include <list>
#include <optional>
#include <string>

#include "config/settings/settings.hpp"
#include "config/shared/segment.hpp"
#include "router/engine/buffer_pool.hpp"
#include "router/engine/engine.hpp"
#include "router/wire/head.hpp"

namespace gray::proxy {

struct ProbeRequest {
  std::uint64_t id = 0;
  Address address;
  HttpProbe http;  // without a path a TCP connect is enough
  Duration timeout{1'000};
  uid_t owner = ::geteuid();               // the user who must be behind the address
  std::optional<std::uint32_t> cell = {};  // of the worker: what its answer shows of it is kept there
};

struct ProbeAnswer {
  bool ok = false;
  std::string detail;             // "GET /healthz with Host: example.com was answered 503"
  std::optional<PeerOwner> peer;  // the process behind the address, if it is known
};

class Prober {
 public:
  using Done = std::function<void(std::uint64_t id, ProbeAnswer answer)>;
  Prober(engine::Engine& engine, segment::Layout& layout, http::ResponseHead& scratch, Done done);
  ~Prober();

  void start(ProbeRequest request);
  /// The thread ends: probes in flight are closed without a result.
  void cut_short();

 private:
  class Probe;
  using Probes = std::list<Probe>;

  engine::Engine& engine_;
  segment::Layout& layout_;
  http::ResponseHead& scratch_;
  Done done_;
  Probes probes_;
};

}  // namespace gray::proxy
