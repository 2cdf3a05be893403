#pragma once
// What the engine asks of a socket besides bytes. Errors are of no interest where nothing is returned: a socket that
// cannot do it (a unix socket has no Nagle) goes without.

namespace gray::engine {

/// The error that the kernel keeps for `fd`, 0 for none; it is asked once.
int socket_error(int fd);
/// Every send is a whole message or a whole piece of one: waiting for more would only add latency.
void set_no_delay(int fd);
/// Its close will be a reset.
void set_reset_on_close(int fd);

}  // namespace gray::engine
