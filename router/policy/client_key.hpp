#pragma once
// The key under which tables count a client: its IP address, without the port. An IPv4-mapped IPv6 address is its IPv4
// address. Unix peers have no key: they are processes of this host and have no address to distinguish them by.
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "config/base/address.hpp"

namespace gray::policy {

/// An IPv6 address; an IPv4 address in its mapped form.
using ClientKey = std::array<std::uint8_t, 16>;

std::optional<ClientKey> client_key(const Address& client);

struct ClientKeyHash {
  std::size_t operator()(const ClientKey& key) const {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(key.data()), key.size()});
  }
};

}  // namespace gray::policy
