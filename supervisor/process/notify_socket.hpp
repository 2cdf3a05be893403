#pragma once
// The socket behind NOTIFY_SOCKET (sd_notify(3)), one for each worker process: the socket identifies the worker. The
// sender's pid does not: it may be that of a helper that has already ended.
//
// The socket must always be read: senders block once the queue of a datagram socket is full.
#include <string>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "supervisor/process/readiness.hpp"

namespace gray::supervisor {

/// Non-blocking, bound to `path`; every process that may enter its folder may send. Invalid: see errno.
UniqueFd open_notify_socket(const std::string& path);

/// The queued datagrams, at most `most`. A datagram that is too long is dropped. Passed descriptors are closed at once,
/// which unblocks a sender of BARRIER=1.
std::vector<Notice> read_notices(int socket, std::size_t most);

}  // namespace gray::supervisor
