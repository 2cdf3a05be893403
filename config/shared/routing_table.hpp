#pragma once
// The routing table: all that the router knows about services, versions and workers. The master makes a complete new
// table for every change, numbers it, and sends it as JSON in a sealed memfd; a table is never edited. No number is
// used twice. The users of allowlists are not in it: each list is a memfd of its own (config/settings/allowlist.hpp).
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.hpp"
#include "config/settings/capacity.hpp"
#include "config/settings/settings.hpp"

namespace gray {

struct WorkerRoute {
  std::uint32_t cell = 0;        // index of its WorkerCell in the shared segment
  std::uint64_t generation = 0;  // of the process; a new process has a new one
  std::string id;                // "web@v1#0"
  Address address;
  uid_t owner = ::geteuid();  // the user who must be behind the address
  template <class Io>
  void archive(Io& io) {
    io("cell", cell);
    io("generation", generation);
    io("id", id);
    io("address", address);
    io("owner", owner);
    io.check("cell", cell < segment::kWorkers, "a cell of the segment");
  }
  bool operator==(const WorkerRoute&) const = default;
};

struct VersionRoute {
  std::uint32_t row = 0;  // index of its cell and rows in the shared segment
  std::string name;
  std::vector<WorkerRoute> workers;  // may take requests now: healthy, or ready and without a probe result
  // Generations of the workers that are being drained: their open exchanges continue for drain_timeout, then are cut.
  std::vector<std::uint64_t> draining;
  Duration drain_timeout{30'000};
  bool targeted = false;  // a rule or the allowlist that names this version may choose it
  HttpProbe probe;        // of the health check
  Duration probe_timeout{1'000};
  bool withdrawn = false;  // its users were taken away: requests that wait for it go to stable
  template <class Io>
  void archive(Io& io) {
    io("row", row);
    io("name", name);
    io("workers", workers);
    io("draining", draining);
    io("drain_timeout", drain_timeout);
    io("targeted", targeted);
    io("probe", probe);
    io("probe_timeout", probe_timeout);
    io("withdrawn", withdrawn);
    io.check("row", row < segment::kVersions, "a row of the segment");
  }
  bool operator==(const VersionRoute&) const = default;
};

struct ServiceRoute : ServiceRouting {
  std::string name;
  std::uint32_t stable = 0;             // index into versions
  std::optional<std::uint32_t> canary;  // index into versions; none: all users get stable
  double weight = 0;                    // percent of users that the canary gets
  std::string salt;                     // of the sticky bucket
  std::vector<VersionRoute> versions;
  /// The router uses the indices without a check, so they are checked here.
  template <class Io>
  void archive(Io& io) {
    ServiceRouting::archive(io);
    io("name", name);
    io("stable", stable);
    io("canary", canary);
    io("weight", weight);
    io("salt", salt);
    io("versions", versions);
    io.check("versions", !versions.empty(), "a list with a version in it");
    io.check("stable", stable < versions.size(), "an index of a version");
    io.check("canary", !canary || *canary < versions.size(), "an index of a version");
    for (const Rule& rule : rules)
      io.check("rules", rule.fields.size() + rule.paths.size() + rule.clients.size() > 0, "a list of rules");
    io.check("rules", rules.size() <= kMaxRules, "a list of at most 1000 rules");
    io.check("weight", weight >= 0 && weight <= 100, "a number from 0 to 100");
  }
  bool operator==(const ServiceRoute&) const = default;
};

struct RoutingTable {
  std::uint64_t number = 0;
  std::vector<ServiceRoute> services;
  std::uint64_t issue_seed = 0;  // for the identities that routers issue: random, one for the life of a master
  LeakDetection leak_detection = LeakDetection::simple;
  template <class Io>
  void archive(Io& io) {
    io("number", number);
    io("services", services);
    io("issue_seed", issue_seed);
    io("leak_detection", leak_detection);
  }
  bool operator==(const RoutingTable&) const = default;
};

/// The bucket threshold of a weight: a user whose 64-bit hash is below it gets the canary. No 64-bit threshold includes
/// every hash, so 100 percent needs the flag.
struct Threshold {
  std::uint64_t below = 0;
  bool everyone = false;
  static Threshold of_percent(double percent);  // 0..100, exact to 1e-7 percent
  constexpr bool takes(std::uint64_t hash) const { return everyone || hash < below; }
  bool operator==(const Threshold&) const = default;
};

std::string to_json_text(const RoutingTable& table);
/// Nothing, with the reason in `error`, for a text that is not a table.
std::optional<RoutingTable> routing_table_from_json(std::string_view text, std::string& error);

}  // namespace gray
