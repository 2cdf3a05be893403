#pragma once
// The names that the router acts on, found by length first: most fields are settled without comparing a byte.
#include <string_view>

#include "router/http/head.hpp"

namespace gray::http {

/// `name` must be a token (the parser has checked it); case does not matter.
Name name_of(std::string_view name);

/// Whether the name is one of ours, or X-Gray-anything.
bool is_gray_name(Name id, std::string_view name);

/// Whether a name with '_' would be one of the router's own names with '-'. CGI and WSGI do not tell them apart, so
/// that such a field could pass for one that we vouch for (P31).
bool shadows_known_name(std::string_view name);

}  // namespace gray::http
