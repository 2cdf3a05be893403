#pragma once
// A list of IP networks that is asked for each request: whether an address is in any of them, at a cost that grows with
// the logarithm of their number. Immutable once made; any thread.
//
// Model: for each IP version the disjoint ranges of addresses that the networks cover, sorted. An IPv4-mapped IPv6
// address is its IPv4 address, as in Cidr.
#include <cstdint>
#include <utility>
#include <vector>

#include "config/base/address.hpp"

namespace gray {

class NetworkSet {
 public:
  NetworkSet() = default;
  /// `unix_peers`: whether peers over unix sockets are members, too.
  explicit NetworkSet(const std::vector<Cidr>& networks, bool unix_peers = false);
  bool contains(const Address& address) const { return search(address).found; }
  struct Search {
    bool found = false;
    std::uint32_t steps = 0;  // ranges that were compared with the address
  };
  Search search(const Address& address) const;

 private:
  using Ip4 = std::uint32_t;
  using Ip6 = std::pair<std::uint64_t, std::uint64_t>;  // high, low
  template <class Ip>
  struct Range {
    Ip first, last;
  };
  template <class Ip>
  static void merge(std::vector<Range<Ip>>& ranges);
  template <class Ip>
  static Search search_in(const std::vector<Range<Ip>>& ranges, Ip ip);

  bool unix_peers_ = false;
  std::vector<Range<Ip4>> ipv4_;
  std::vector<Range<Ip6>> ipv6_;
};

}  // namespace gray
