#pragma once
// The access log as a descriptor: the master opens it, the routers write whole lines to it.
#include <string>

#include "config/unique_fd.hpp"

namespace gray::master {

/// Opened to append, made with its folders if missing; an empty path gives none. Throws std::runtime_error with a line
/// for people.
UniqueFd open_access_log(const std::string& path);

}  // namespace gray::master
