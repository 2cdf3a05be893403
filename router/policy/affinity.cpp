#include "router/policy/affinity.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace gray::policy {
namespace {

constexpr std::uint64_t kUserSeed = 0x75736572;  // two different seeds, and not the bucket's 0
constexpr std::uint64_t kSlotSeed = 0x736c6f74;

}  // namespace

std::uint64_t affinity_hash(std::string_view identity) {
  const std::uint64_t hash = XXH3_64bits_withSeed(identity.data(), identity.size(), kUserSeed);
  return hash == 0 ? 1 : hash;
}

std::uint64_t slot_hash(std::string_view worker_id) {
  return XXH3_64bits_withSeed(worker_id.data(), worker_id.size(), kSlotSeed);
}

}  // namespace gray::policy
