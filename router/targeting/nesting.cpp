#include "router/targeting/nesting.hpp"

#include <algorithm>

#include "router/http/path_order.hpp"

namespace gray::targeting {
namespace {

/// As parse_path() of the configuration writes it, "/" is the only path with a slash at its end.
std::string_view without_slash(std::string_view path) { return path == "/" ? std::string_view() : path; }

std::uint64_t big_endian(const std::array<std::uint8_t, 16>& bytes, std::size_t from, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = from; i < from + count; ++i) value = value << 8 | bytes[i];
  return value;
}

template <class Value>
void drop_equal(std::vector<Value>& sorted) {
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
}

}  // namespace

/// Two links of equal length become one of twice the length (Myers, An applicative random-access stack, 1983).
void Nesting::link_far(std::uint32_t set, std::vector<std::uint32_t>& depth) {
  const auto depth_of = [&depth](std::uint32_t one) { return one == kNone ? 0 : depth[one]; };
  const auto far_of = [this](std::uint32_t one) { return one == kNone ? kNone : far_[one]; };
  const std::uint32_t outer = outer_[set], far = far_of(outer), farther = far_of(far);
  const bool equal = depth_of(outer) - depth_of(far) == depth_of(far) - depth_of(farther);
  depth[set] = depth_of(outer) + 1;
  far_[set] = equal ? farther : outer;
}

std::vector<std::uint32_t> Nesting::outermost(std::vector<std::uint32_t> sets) const {
  std::ranges::sort(sets);
  std::vector<std::uint32_t> kept;
  for (const std::uint32_t set : sets)
    if (kept.empty() || !contains(kept.back(), set)) kept.push_back(set);
  return kept;
}

bool Nesting::any_contains(std::span<const std::uint32_t> outermost, std::uint32_t inner) const {
  if (inner == kNone) return false;
  const auto after = std::ranges::upper_bound(outermost, inner);
  return after != outermost.begin() && contains(*std::prev(after), inner);
}

// ---- paths

void PathSets::add(std::string_view path) { paths_.emplace_back(without_slash(path)); }

void PathSets::settle() {
  std::ranges::sort(paths_, http::path_before);
  drop_equal(paths_);
  nesting_.build(paths_.size(),
                 [this](std::uint32_t i, std::uint32_t j) { return http::is_below(paths_[i], paths_[j]); });
}

std::uint32_t PathSets::number_of(std::string_view path) const {
  const auto found = std::ranges::lower_bound(paths_, without_slash(path), http::path_before);
  return static_cast<std::uint32_t>(found - paths_.begin());
}

std::uint32_t PathSets::find(std::string_view path) const {
  const auto after = std::ranges::upper_bound(paths_, path, http::path_before);
  const auto before = static_cast<std::uint32_t>(after - paths_.begin()) - 1;  // kNone: there is none before it
  return nesting_.outwards(before, [&](std::uint32_t set) { return http::is_below(path, paths_[set]); });
}

// ---- networks

NetworkSets::Ip NetworkSets::ip_of(bool ipv6, const std::array<std::uint8_t, 16>& bytes) {
  if (ipv6) return {1, big_endian(bytes, 0, 8), big_endian(bytes, 8, 8)};
  return {0, 0, big_endian(bytes, 0, 4)};
}

NetworkSets::Range NetworkSets::range_of(const Cidr& network) {
  return {ip_of(network.ipv6, network.ip), ip_of(network.ipv6, network.last_ip())};
}

bool NetworkSets::before(const Range& a, const Range& b) {
  return a.first != b.first ? a.first < b.first : b.last < a.last;
}

void NetworkSets::settle() {
  std::ranges::sort(ranges_, before);
  drop_equal(ranges_);
  nesting_.build(ranges_.size(),
                 [this](std::uint32_t i, std::uint32_t j) { return ranges_[i].last <= ranges_[j].last; });
}

std::uint32_t NetworkSets::number_of(const Cidr& network) const {
  const auto found = std::ranges::lower_bound(ranges_, range_of(network), before);
  return static_cast<std::uint32_t>(found - ranges_.begin());
}

std::uint32_t NetworkSets::find(const Address& address) const {
  if (ranges_.empty() || address.kind == Address::Kind::unix_path) return Nesting::kNone;
  const bool ipv6 = address.kind == Address::Kind::ipv6;
  const auto ipv4 = ipv6 ? mapped_ipv4(address.ip) : std::nullopt;
  const Ip ip = ipv4 ? ip_of(false, *ipv4) : ip_of(ipv6, address.ip);
  const auto after = std::ranges::upper_bound(ranges_, ip, {}, &Range::first);
  const auto before = static_cast<std::uint32_t>(after - ranges_.begin()) - 1;
  return nesting_.outwards(before, [&](std::uint32_t set) { return ip <= ranges_[set].last; });
}

}  // namespace gray::targeting
