#pragma once
// A unix socket whose file has its mode from the first moment. A chmod(2) of the path after bind(2) would follow a link
// that somebody put there meanwhile.
#include <sys/socket.h>
#include <sys/types.h>

namespace gray {

/// bind(2), and the file gets `mode` whatever the umask is; false with errno. Changes the umask of the process for the
/// time of the call: files that other threads create meanwhile must not depend on it.
bool bind_with_mode(int socket, const sockaddr* address, socklen_t length, mode_t mode);

}  // namespace gray
