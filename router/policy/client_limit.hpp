#pragma once
// How many connections each client holds, for `max_connections_per_client`. Pure; touched when a connection opens and
// closes, never for a request.
//
// Model: IP address -> count. An entry exists while its count is above 0, so the table is never larger than the number
// of open connections. Peers without a key (client_key.hpp) are not counted.
//
// Thread: any, but not two at once. All router threads share one object; its owner holds a mutex around every call.
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "config/base/network_set.hpp"
#include "router/policy/client_key.hpp"

namespace gray::policy {

class ClientLimit {
 public:
  /// `per_client` connections of one client, at most `clients` clients at a time.
  /// `exempt`: peers that are not clients, but stand for many.
  ClientLimit(std::uint32_t per_client, std::size_t clients, NetworkSet exempt = {})
      : per_client_(per_client), clients_(clients), exempt_(std::move(exempt)) {}

  /// Counts a connection of `client`; false, and not counted, if it is at its limit or there are too many clients.
  bool acquire(const Address& client);
  /// Once for every acquire() that returned true, with the same address.
  void release(const Address& client);

  /// A connection of `from` turns out to be one of `to`, and is counted there from now on. False if `to` is then beyond
  /// its limit: the caller still answers on the connection, and releases it like every other.
  bool move(const Address& from, const Address& to);

  std::uint32_t connections_of(const Address& client) const;
  std::size_t clients() const { return counts_.size(); }

 private:
  std::optional<ClientKey> key_of(const Address& client) const;

  std::uint32_t per_client_;
  std::size_t clients_;
  NetworkSet exempt_;
  std::unordered_map<ClientKey, std::uint32_t, ClientKeyHash> counts_;
};

}  // namespace gray::policy
