#include "router/policy/client_limit.hpp"

#include <cassert>

namespace gray::policy {

std::optional<ClientKey> ClientLimit::key_of(const Address& client) const {
  return exempt_.contains(client) ? std::nullopt : client_key(client);
}

bool ClientLimit::acquire(const Address& client) {
  const auto key = key_of(client);
  if (!key) return true;
  const auto found = counts_.find(*key);
  if (found != counts_.end()) {
    if (found->second >= per_client_) return false;
    ++found->second;
    return true;
  }
  if (per_client_ == 0 || counts_.size() >= clients_) return false;
  counts_.emplace(*key, 1);
  return true;
}

void ClientLimit::release(const Address& client) {
  const auto key = key_of(client);
  if (!key) return;
  const auto found = counts_.find(*key);
  assert(found != counts_.end() && "released more often than acquired");
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

bool ClientLimit::move(const Address& from, const Address& to) {
  release(from);
  const bool within = acquire(to);
  if (!within) ++counts_[key_of(to).value()];
  return within;
}

std::uint32_t ClientLimit::connections_of(const Address& client) const {
  const auto key = key_of(client);
  if (!key) return 0;
  const auto found = counts_.find(*key);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace gray::policy
