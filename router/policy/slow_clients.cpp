#include "router/policy/slow_clients.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace gray::policy {
namespace {

template <class Entries>
auto set_of(Entries& entries, const ClientKey& key) {
  return std::span(entries).subspan(ClientKeyHash()(key) % SlowClients::kSets * SlowClients::kWays, SlowClients::kWays);
}

}  // namespace

const SlowClients::Entry* SlowClients::find(const Address& client, TimePoint now) const {
  const auto key = client_key(client);
  if (!key) return nullptr;
  for (const Entry& entry : set_of(entries_, *key)) {
    if (entry.used && entry.key == *key) return now - entry.cut_at < kSlowMemory ? &entry : nullptr;
  }
  return nullptr;
}

std::uint32_t SlowClients::add(const Address& client, TimePoint now) {
  Entry* found = &keyless_;
  if (const auto key = client_key(client)) {
    if (entries_.empty()) entries_.resize(kSets * kWays);
    const auto set = set_of(entries_, *key);
    auto place = std::ranges::find_if(set, [&](const Entry& entry) { return entry.used && entry.key == *key; });
    if (place == set.end()) {
      place = std::ranges::min_element(set, {}, [](const Entry& entry) { return entry.cut_at; });
      *place = {.key = *key};
    }
    found = &*place;
    until_ = now + kSlowMemory;
  }
  found->cut_at = now;
  ++found->unlogged;
  if (std::exchange(found->used, true) && now - found->logged_at < kSlowLogInterval) return 0;
  found->logged_at = now;
  return std::exchange(found->unlogged, 0);
}

}  // namespace gray::policy
