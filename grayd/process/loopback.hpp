#pragma once
// TCP sockets at 127.0.0.1.
#include <cstdint>

#include "config/base/unique_fd.hpp"

namespace gray::master {

/// A socket that is bound to the port, not listening, and closed by exec; 0: any free port. Empty, with errno, if that
/// is refused, as for a port at which another socket listens.
UniqueFd bound_to_loopback(std::uint16_t port);

}  // namespace gray::master
