#pragma once
// The socket behind NOTIFY_SOCKET (sd_notify(3)), one for each worker process. Every process of the same user can find
// its path, so a message counts only if its sender is a process of the worker. The kernel attaches the sender's pid. It
// is checked before the next message is read: a sender that waits for a BARRIER=1 still exists then. A sender that has
// ended cannot be checked, and its message is ignored, as systemd does.
//
// The socket must always be read: senders block once the queue of a datagram socket is full.
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "supervisor/process/readiness.hpp"

namespace gray::supervisor {

/// Non-blocking, bound to `path`; every process that may enter its folder may send. Invalid: see errno.
UniqueFd open_notify_socket(const std::string& path);

/// The queued datagrams, at most `most`, without those whose sender `may_send` rejects; pid 0 is a process outside of
/// our pid namespace. Datagrams that contain nothing for us are not checked. One that is too long is dropped. Passed
/// descriptors are closed at once, which unblocks a sender of BARRIER=1.
std::vector<Notice> read_notices(int socket, std::size_t most, const std::function<bool(pid_t sender)>& may_send);

}  // namespace gray::supervisor
