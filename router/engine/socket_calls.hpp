#pragma once
// System calls on sockets for the engine. Functions that return nothing ignore errors: a socket without such an option
// (a unix socket has no Nagle) works without it.
#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace gray::engine {

/// recv(2) and send(2) without what they do for pthread_cancel(3) in a process with threads: two locked instructions
/// for each call, four calls for each request. Errors in errno.
ssize_t receive(int fd, char* to, std::size_t size);
/// A connection that the peer has closed gives EPIPE, no signal.
ssize_t transmit(int fd, std::string_view bytes);
/// The same for several pieces, at most Engine::kMaxPieces.
ssize_t transmit_pieces(int fd, std::span<const std::string_view> pieces);

/// The pending error of `fd`, 0 for none; reading it clears it.
int socket_error(int fd);
/// Whether the kernel at the other end of a TCP connection that was opened here has acknowledged any bytes behind the
/// SYN; true if that cannot be known.
bool acknowledged_any(int fd);
/// Turns Nagle off: every send is a whole message or a whole piece of one, and waiting for more only adds latency.
void set_no_delay(int fd);
/// The kernel takes at most `bytes` that it cannot send yet, and a segment. A listening socket passes the limit on to
/// the sockets that it accepts (TCP_NOTSENT_LOWAT, tcp(7) of Linux 3.12).
void limit_not_sent(int fd, std::size_t bytes);
/// How many bytes a TCP socket with that limit takes now: what the peer's window and the congestion window leave, and
/// the limit. Nothing: not TCP, or the kernel does not tell (before Linux 5.16).
std::optional<std::size_t> sendable(int fd, std::size_t not_sent_limit);
/// Acknowledges received bytes now, instead of together with the next ones that are sent, or 40 ms later.
void acknowledge_received(int fd);
/// Makes its close a reset.
void set_reset_on_close(int fd);

}  // namespace gray::engine
