#include "router/downstream/turn_away.hpp"

#include <sys/socket.h>
#include <unistd.h>

namespace gray::proxy {

// The answer is small and the socket is new: if the kernel does not take it whole, it would not take any answer.
void turn_away(int fd) {
  (void)::send(fd, kOverloadedAnswer.data(), kOverloadedAnswer.size(), MSG_NOSIGNAL);
  ::close(fd);
}

void turn_away_silently(int fd) { ::close(fd); }

}  // namespace gray::proxy
