#include "config/base/network_set.hpp"

#include <algorithm>

namespace gray {
namespace {

std::uint64_t number(const std::array<std::uint8_t, 16>& ip, std::size_t from, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = from; i < from + count; ++i) value = value << 8 | ip[i];
  return value;
}

}  // namespace

NetworkSet::NetworkSet(const std::vector<Cidr>& networks, bool unix_peers) : unix_peers_(unix_peers) {
  for (const Cidr& network : networks) {
    const auto first = network.ip, last = network.last_ip();
    if (network.ipv6)
      ipv6_.push_back({{number(first, 0, 8), number(first, 8, 8)}, {number(last, 0, 8), number(last, 8, 8)}});
    else
      ipv4_.push_back({static_cast<Ip4>(number(first, 0, 4)), static_cast<Ip4>(number(last, 0, 4))});
  }
  merge(ipv4_);
  merge(ipv6_);
}

/// Networks are equal, disjoint or one inside the other; so a range that begins inside the one before it ends there.
template <class Ip>
void NetworkSet::merge(std::vector<Range<Ip>>& ranges) {
  std::ranges::sort(
      ranges, [](const auto& a, const auto& b) { return std::pair(a.first, b.last) < std::pair(b.first, a.last); });
  std::vector<Range<Ip>> disjoint;
  for (const auto& range : ranges)
    if (disjoint.empty() || disjoint.back().last < range.first) disjoint.push_back(range);
  ranges = std::move(disjoint);
}

template <class Ip>
NetworkSet::Search NetworkSet::search_in(const std::vector<Range<Ip>>& ranges, Ip ip) {
  Search search;
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), ip, [&search](Ip wanted, const Range<Ip>& range) {
    return ++search.steps, wanted < range.first;
  });
  search.found = after != ranges.begin() && ip <= std::prev(after)->last;
  return search;
}

NetworkSet::Search NetworkSet::search(const Address& address) const {
  switch (address.kind) {
    case Address::Kind::ipv4: return search_in(ipv4_, static_cast<Ip4>(number(address.ip, 0, 4)));
    case Address::Kind::ipv6:
      if (const auto ipv4 = mapped_ipv4(address.ip)) return search_in(ipv4_, static_cast<Ip4>(number(*ipv4, 0, 4)));
      return search_in(ipv6_, Ip6(number(address.ip, 0, 8), number(address.ip, 8, 8)));
    case Address::Kind::unix_path: return {.found = unix_peers_};
  }
  return {};
}

}  // namespace gray
