#pragma once
// The user of the routers: `[router] user`; if that is empty, an unprivileged one.
#include <optional>
#include <string>

#include "grayd/process/privileges.hpp"

namespace gray::master {

/// The default if there is neither a user "grayd" nor "nobody", as in a container without /etc/passwd: the kernel's
/// overflow uid, which "nobody" has elsewhere.
inline constexpr UserIds kNobody{65'534, 65'534};

/// Nothing: routers stay grayd's user, because grayd is not root. Throws std::runtime_error if there is no such user.
std::optional<UserIds> router_user(const std::string& name);

}  // namespace gray::master
