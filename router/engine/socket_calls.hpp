#pragma once
// System calls on sockets for the engine. Functions that return nothing ignore errors: a socket without such an option
// (a unix socket has no Nagle) works without it.
#include <sys/types.h>

#include <cstddef>
#include <string_view>

namespace gray::engine {

/// recv(2) and send(2) without what they do for pthread_cancel(3) in a process with threads: two locked instructions
/// for each call, four calls for each request. Errors in errno.
ssize_t receive(int fd, char* to, std::size_t size);
/// A connection that the peer has closed gives EPIPE, no signal.
ssize_t transmit(int fd, std::string_view bytes);

/// The pending error of `fd`, 0 for none; reading it clears it.
int socket_error(int fd);
/// Whether the kernel at the other end of a TCP connection that was opened here has acknowledged any bytes behind the
/// SYN; true if that cannot be known.
bool acknowledged_any(int fd);
/// Turns Nagle off: every send is a whole message or a whole piece of one, and waiting for more only adds latency.
void set_no_delay(int fd);
/// Acknowledges received bytes now, instead of together with the next ones that are sent, or 40 ms later.
void acknowledge_received(int fd);
/// Makes its close a reset.
void set_reset_on_close(int fd);

}  // namespace gray::engine
