#pragma once
// Sets of which any two are disjoint, or one is in the other: path prefixes and networks. Sorted so that each comes
// directly before those in it, the sets around an element are its predecessor in this order, and those around that one;
// and all that is in a set is in one range. Sets may be nested thousands deep (paths), so each one also knows a set
// farther out: with these the search outwards takes a number of steps that grows with the logarithm of the depth.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.hpp"

namespace gray::targeting {

class Nesting {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// Of `count` sorted sets; `inside(i, j)`: whether set i is in set j, which is before it.
  template <class Inside>
  void build(std::size_t count, Inside inside) {
    outer_.assign(count, kNone);
    far_.assign(count, kNone);
    end_.resize(count);
    std::vector<std::uint32_t> depth(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint32_t outer = i - 1;  // kNone: there is none before the first
      while (outer != kNone && !inside(i, outer)) outer = outer_[outer];
      outer_[i] = outer;
      link_far(i, depth);
    }
    for (std::uint32_t i = static_cast<std::uint32_t>(count); i-- > 0;) {
      end_[i] = std::max(end_[i], i + 1);
      if (outer_[i] != kNone) end_[outer_[i]] = std::max(end_[outer_[i]], end_[i]);
    }
  }
  /// The smallest set around this one.
  std::uint32_t outer(std::uint32_t set) const { return outer_[set]; }
  /// `set`, or the smallest set around it, for which `holds(set)`; kNone: it holds for none. If it holds for a set, it
  /// must hold for those around that one.
  template <class Holds>
  std::uint32_t outwards(std::uint32_t set, Holds holds) const {
    while (set != kNone && !holds(set)) {
      const std::uint32_t far = far_[set];
      set = far != kNone && !holds(far) ? far : outer_[set];
    }
    return set;
  }
  /// `inner` is `set`, or is in it.
  bool contains(std::uint32_t set, std::uint32_t inner) const { return set <= inner && inner < end_[set]; }
  std::size_t size() const { return outer_.size(); }

  /// `sets` in rising order, without those that are in another of them.
  std::vector<std::uint32_t> outermost(std::vector<std::uint32_t> sets) const;
  /// Whether one of `outermost` contains the set. Its cost grows with the logarithm of their number.
  bool any_contains(std::span<const std::uint32_t> outermost, std::uint32_t inner) const;

 private:
  void link_far(std::uint32_t set, std::vector<std::uint32_t>& depth);

  std::vector<std::uint32_t> outer_, far_, end_;
};

/// Path prefixes of whole segments.
class PathSets {
 public:
  void add(std::string_view path);
  /// Once, after the last add().
  void settle();
  /// Of a path that was added.
  std::uint32_t number_of(std::string_view path) const;
  /// The longest prefix of a path without a query; kNone: none.
  std::uint32_t find(std::string_view path) const;
  const Nesting& nesting() const { return nesting_; }

 private:
  std::vector<std::string> paths_;  // sorted, without a trailing slash
  Nesting nesting_;
};

/// Networks of IPv4 and IPv6. An IPv4-mapped address is its IPv4 address.
class NetworkSets {
 public:
  void add(const Cidr& network) { ranges_.push_back(range_of(network)); }
  void settle();
  std::uint32_t number_of(const Cidr& network) const;
  /// The smallest network of the address; kNone: none, or it has no IP.
  std::uint32_t find(const Address& address) const;
  const Nesting& nesting() const { return nesting_; }

 private:
  struct Ip {
    std::uint64_t family = 0, high = 0, low = 0;
    auto operator<=>(const Ip&) const = default;
  };
  struct Range {
    Ip first, last;
    bool operator==(const Range&) const = default;
  };
  static Ip ip_of(bool ipv6, const std::array<std::uint8_t, 16>& bytes);
  static Range range_of(const Cidr& network);
  static bool before(const Range& a, const Range& b);

  std::vector<Range> ranges_;
  Nesting nesting_;
};

}  // namespace gray::targeting
