#pragma once
// The socket behind NOTIFY_SOCKET (sd_notify(3)), one for each worker process: whose message it is, is told by the
// socket that it came through. A sender's pid tells nothing: it may be that of a helper, and gone by now.
//
// It must always be read: senders sleep once the queue of a datagram socket is full.
#include <string>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "supervisor/process/readiness.hpp"

namespace gray::supervisor {

/// Non-blocking, bound to `path`, open to whoever gets into its folder. Invalid: errno tells.
UniqueFd open_notify_socket(const std::string& path);

/// What waits there, at most `most` datagrams. One that is too long is dropped. Descriptors that come along are closed
/// at once, which is what lets a sender of BARRIER=1 go on.
std::vector<Notice> read_notices(int socket, std::size_t most);

}  // namespace gray::supervisor
