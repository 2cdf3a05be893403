#pragma once
// Maps the memory of an allowlist (config/settings/allowlist.hpp) read-only, shared with all processes that use it.
#include <cstdint>
#include <memory>

#include "router/targeting/allowlist_table.hpp"

namespace gray::targeting {

enum class Pages : std::uint8_t {
  at_once,    // the first request does not wait for them
  as_needed,  // for a few look-ups
};

/// `fd`: the sealed memfd of a list of `slots` slots; it may be closed afterwards. The mapping lives as long as the
/// result. Null, with the reason in errno: it cannot be mapped.
std::shared_ptr<const AllowlistTable> map_allowlist(int fd, std::uint64_t slots, Pages pages);

}  // namespace gray::targeting
