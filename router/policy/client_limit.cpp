#include "router/policy/client_limit.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <string_view>

namespace gray::policy {
namespace {

bool is_counted(const Address& client) { return client.kind != Address::Kind::unix_path; }

}  // namespace

bool ClientLimit::acquire(const Address& client) {
  if (!is_counted(client)) return true;
  const Key key = key_of(client);
  const auto found = counts_.find(key);
  if (found != counts_.end()) {
    if (found->second >= per_client_) return false;
    ++found->second;
    return true;
  }
  if (per_client_ == 0 || counts_.size() >= clients_) return false;
  counts_.emplace(key, 1);
  return true;
}

void ClientLimit::release(const Address& client) {
  if (!is_counted(client)) return;
  const auto found = counts_.find(key_of(client));
  assert(found != counts_.end() && "released more often than acquired");
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

bool ClientLimit::move(const Address& from, const Address& to) {
  release(from);
  const bool within = acquire(to);
  if (!within) ++counts_[key_of(to)];
  return within;
}

std::uint32_t ClientLimit::connections_of(const Address& client) const {
  if (!is_counted(client)) return 0;
  const auto found = counts_.find(key_of(client));
  return found == counts_.end() ? 0 : found->second;
}

std::size_t ClientLimit::KeyHash::operator()(const Key& key) const {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(key.data()), key.size()});
}

ClientLimit::Key ClientLimit::key_of(const Address& client) {
  if (client.kind == Address::Kind::ipv6) return client.ip;
  Key key{};
  key[10] = key[11] = 0xff;
  std::copy_n(client.ip.begin(), 4, key.begin() + 12);
  return key;
}

}  // namespace gray::policy
