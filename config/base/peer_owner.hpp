#pragma once
// Who is at the other end of a connection to a listening socket of this host.
//
// Unix sockets: SO_PEERCRED, the process that called listen(2). The kernel took it when the connection was made, so it
// is true for this very connection.
//
// TCP: the user who created the listening socket that the kernel chooses for the address. It is asked by netlink
// (sock_diag(7)) for one socket, not for a list: two system calls, about 5 us, however many sockets there are, without
// privileges. If nobody listens any more, the socket that accepted this connection is asked for instead. Between
// connect(2) and the question the listener may have changed: a connection that was not accepted is reset then, but an
// accepted one is not, and counts as one of the new listener.
//
// The same answer shows whether the listener's backlog is full. The kernel of a full one drops the last step of the
// handshake, so that a connection exists at one end only: what is sent on it is repeated later and later, or reset.
//
// Where netlink is not permitted, or the kernel has no sock_diag, TCP peers are not known.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/base/address.hpp"
#include "config/base/restored.hpp"
#include "config/base/unique_fd.hpp"

namespace gray {

struct PeerOwner {
  uid_t uid = 0;
  pid_t pid = 0;  // of the process that called listen(2), which may have ended; 0: not known
  template <class Io>
  void archive(Io& io) {
    io("uid", uid);
    io("pid", pid);
  }
  bool operator==(const PeerOwner&) const = default;
};

/// For one thread. Opens its netlink socket when it is made, and none later: a process may give up the right to.
class PeerOwners {
 public:
  PeerOwners();
  explicit PeerOwners(Restored) {}
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("netlink", netlink_);
  }

  /// For the log, once: what it means that knows_tcp() is false, and what to do.
  static constexpr std::string_view kUnknown =
      "netlink cannot be used, so routers do not see which user answers at the port of a worker; permit it "
      "(systemd: RestrictAddressFamilies=AF_NETLINK)";
  /// Whether TCP sockets can be asked for: tried once, with a socket of our own.
  bool knows_tcp() const { return static_cast<bool>(netlink_); }

  struct Socket {
    uid_t uid = 0;
    std::uint64_t inode = 0;
    std::uint8_t state = 0;     // TCP_LISTEN ...
    std::uint32_t waiting = 0;  // of a listener: connections that were not accepted yet, and how many may wait
    std::uint32_t backlog = 0;
    bool everywhere = false;  // bound to no address
  };
  /// The TCP socket that accepts connections to `address`; nothing if there is none, or it cannot be known.
  std::optional<Socket> listener(const Address& address) const;

  struct Peer {
    enum class State : std::uint8_t {
      known,
      nobody,   // there is neither a listening socket nor one that accepted the connection
      unknown,  // it cannot be asked for
    };
    State state = State::unknown;
    PeerOwner owner;
    /// Its listener's backlog is full, and it is not in it: the other kernel drops what is sent until there is room.
    bool overflow = false;
    std::uint32_t room = UINT32_MAX;  // of that backlog, if it is known
  };
  /// Of a connected socket.
  Peer of(int fd) const;

 private:
  std::optional<Socket> ask(const Address& local, const Address* remote) const;
  Peer of_tcp(int fd, const Address& address) const;

  UniqueFd netlink_;
  mutable std::uint32_t sequence_ = 0;
};

}  // namespace gray
