#pragma once
// The user of the routers: `[router] user`; if that is empty, an unprivileged one.
#include <optional>
#include <string>

#include "grayd/process/privileges.hpp"

namespace gray::master {

/// The users of which the first one that exists is the default.
inline constexpr const char* kDefaultRouterUsers[] = {"grayd", "nobody"};

/// Nothing: routers stay grayd's user, because grayd is not root. Throws std::runtime_error if there is no such user.
std::optional<UserIds> router_user(const std::string& name);

}  // namespace gray::master
