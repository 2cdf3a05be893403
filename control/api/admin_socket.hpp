#pragma once
// The unix socket to which grayctl connects.
#include <string>

#include "config/base/unique_fd.hpp"

namespace gray::control {

/// Binds and listens at `path` with mode 0660. Creates parent folders, replaces a stale socket, and refuses one in use.
/// Throws std::runtime_error with a one-line message.
UniqueFd open_admin_socket(const std::string& path);

}  // namespace gray::control
