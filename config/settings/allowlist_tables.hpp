#pragma once
// The tables of allowlists outside of the routers.
#include <string_view>

#include "config/settings/settings.hpp"

namespace gray {

/// A service of `fresh` whose users are those in `old` gets the table of `old`: the routers keep that one mapped, and
/// two tables with the same users would cost the memory twice.
void keep_equal_tables(Settings& fresh, const Settings& old);

/// Whether the id is in the list. Reads a few numbers of the table, without mapping it.
bool is_listed(const Allowlist& list, std::string_view id);

}  // namespace gray
