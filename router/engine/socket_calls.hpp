#pragma once
// Socket options and errors for the engine. Functions that return nothing ignore errors: a socket without such an
// option (a unix socket has no Nagle) works without it.

namespace gray::engine {

/// The pending error of `fd`, 0 for none; reading it clears it.
int socket_error(int fd);
/// Turns Nagle off: every send is a whole message or a whole piece of one, and waiting for more only adds latency.
void set_no_delay(int fd);
/// Makes its close a reset.
void set_reset_on_close(int fd);

}  // namespace gray::engine
