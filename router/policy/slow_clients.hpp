#pragma once
// The clients whose requests were cut because they were slow, for a while: their next requests count as slow from the
// start, so that a client which returns at once gains nothing. Also limits how often such a client is logged. Pure.
//
// Model: a table of kSets sets of kWays entries, by the client's key. A new entry replaces the one of its set that was
// cut first: the table never grows, and under an attack from many addresses it holds the latest ones. It allocates
// nothing before the first cut. Clients without a key (unix peers) are logged, but not remembered.
// One thread.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/time.hpp"
#include "router/policy/client_key.hpp"

namespace gray::policy {

inline constexpr Duration kSlowMemory{30'000};       // since the last cut
inline constexpr Duration kSlowLogInterval{60'000};  // at most one line for each client in this time

class SlowClients {
 public:
  static constexpr std::size_t kSets = 256, kWays = 4;

  bool contains(const Address& client, TimePoint now) const {
    return now < until_ && find(client, now) != nullptr;  // usually nothing was cut lately
  }
  /// A request of the client was cut. Returns the number of its cuts to log now, this one included; 0: a line was
  /// written less than kSlowLogInterval ago.
  std::uint32_t add(const Address& client, TimePoint now);

 private:
  struct Entry {
    ClientKey key{};
    TimePoint cut_at{}, logged_at{};
    std::uint32_t unlogged = 0;
    bool used = false;
  };
  const Entry* find(const Address& client, TimePoint now) const;

  std::vector<Entry> entries_;
  Entry keyless_;
  TimePoint until_{};  // the newest entry counts until then
};

}  // namespace gray::policy
