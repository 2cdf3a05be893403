#pragma once
// The socket at which the users of the demo ask. This process opens it and passes it to grayd, so that nothing can take
// the port between the choice of a free one and the start.
#include <cstdint>

#include "config/base/unique_fd.hpp"

namespace gray::demo {

struct OwnListener {
  UniqueFd fd;
  std::uint16_t port = 0;
  int refused = 0;  // errno of the port that was asked for, if that could not be had
};

/// On 127.0.0.1. If `port` is 0 or cannot be had, the kernel chooses. Throws std::system_error if there is none.
OwnListener open_listener(std::uint16_t port);

}  // namespace gray::demo
