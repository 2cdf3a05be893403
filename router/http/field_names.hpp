#pragma once
// The names that the router acts on, found by a perfect hash: a name is compared with one other at most.
#include <string_view>

#include "router/http/message.hpp"

namespace gray::http {

/// `name` must be a token (the parser has checked it); case does not matter. Never Name::shadow.
Name name_of(std::string_view name);

/// Whether a name with '_' would be one of the router's own names with '-' (Name::shadow).
bool shadows_known_name(std::string_view name);

}  // namespace gray::http
