#pragma once
// The unix socket at which grayctl finds grayd.
#include <string>

#include "config/base/unique_fd.hpp"

namespace gray::control {

/// Binds and listens at `path` with mode 0660 (parent folders created, a stale socket replaced, a living one refused).
/// Throws std::runtime_error with a line for people.
UniqueFd open_admin_socket(const std::string& path);

}  // namespace gray::control
