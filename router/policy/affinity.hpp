#pragma once
// Which worker of a version suits a user: rendezvous hashing (highest random weight) of the user with the slots. Each
// user has their own order of the slots, so adding or removing a slot moves only that slot's share of users. A slot is
// identified by the id of its workers ("web@v1#0"): the next process in it gets the same users.
//
// The hash of the user is independent of their bucket: no salt, a different seed. Otherwise the users of a canary,
// whose bucket hashes are all small, would concentrate on some of its workers, and every shift would move all users.
#include <cstdint>
#include <string_view>

namespace gray::policy {

/// Hash of a user's identity; never 0, which stands for no user.
std::uint64_t affinity_hash(std::string_view identity);
/// Hash of a slot, by the id of its workers.
std::uint64_t slot_hash(std::string_view worker_id);

/// How well the slot suits the user, both given as hashes: the highest wins. The bits are mixed well enough that the
/// lower half of a winning value is random.
constexpr std::uint64_t suitability(std::uint64_t user, std::uint64_t worker_slot) {
  std::uint64_t mixed = user ^ worker_slot;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

}  // namespace gray::policy
