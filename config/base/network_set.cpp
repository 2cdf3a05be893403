#include "config/base/network_set.hpp"

#include <algorithm>

namespace gray {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

std::uint64_t number(const Bytes& ip, std::size_t from, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = from; i < from + count; ++i) value = value << 8 | ip[i];
  return value;
}

/// The last address of the network: the bits behind the prefix are set.
Bytes last_of(const Cidr& network) {
  Bytes ip = network.ip;
  for (std::size_t i = 0; i < ip.size(); ++i) {
    const unsigned fixed =
        network.bits > i * 8 ? std::min<unsigned>(network.bits - static_cast<unsigned>(i * 8), 8) : 0;
    ip[i] = static_cast<std::uint8_t>(ip[i] | (0xffu >> fixed));
  }
  return ip;
}

bool holds_ipv4(const Bytes& ip) { return number(ip, 0, 8) == 0 && number(ip, 8, 4) == 0xffff; }

}  // namespace

NetworkSet::NetworkSet(const std::vector<Cidr>& networks) {
  for (const Cidr& network : networks) {
    const Bytes &first = network.ip, last = last_of(network);
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
bool NetworkSet::covers(const std::vector<Range<Ip>>& ranges, Ip ip) {
  const auto after = std::ranges::upper_bound(ranges, ip, {}, &Range<Ip>::first);
  return after != ranges.begin() && ip <= std::prev(after)->last;
}

bool NetworkSet::contains(const Address& address) const {
  switch (address.kind) {
    case Address::Kind::ipv4: return covers(ipv4_, static_cast<Ip4>(number(address.ip, 0, 4)));
    case Address::Kind::ipv6:
      if (holds_ipv4(address.ip)) return covers(ipv4_, static_cast<Ip4>(number(address.ip, 12, 4)));
      return covers(ipv6_, Ip6(number(address.ip, 0, 8), number(address.ip, 8, 8)));
    case Address::Kind::unix_path: return false;
  }
  return false;
}

}  // namespace gray
