#include "router/policy/client_key.hpp"

#include <algorithm>

namespace gray::policy {

std::optional<ClientKey> client_key(const Address& client) {
  if (client.kind == Address::Kind::unix_path) return std::nullopt;
  if (client.kind == Address::Kind::ipv6) return client.ip;
  ClientKey key{};
  key[10] = key[11] = 0xff;
  std::copy_n(client.ip.begin(), 4, key.begin() + 12);
  return key;
}

}  // namespace gray::policy
