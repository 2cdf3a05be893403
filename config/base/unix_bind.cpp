#include "config/base/unix_bind.hpp"

#include <sys/stat.h>

namespace gray {

// Linux gives the file the mode of the socket's own inode, less the umask (unix(7) says only the latter).
bool bind_with_mode(int socket, const sockaddr* address, socklen_t length, mode_t mode) {
  if (::fchmod(socket, mode) != 0) return false;
  const mode_t before = ::umask(0);
  const bool bound = ::bind(socket, address, length) == 0;
  ::umask(before);
  return bound;
}

}  // namespace gray
