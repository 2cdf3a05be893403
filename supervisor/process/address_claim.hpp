#pragma once
// Whether a worker itself answers at its address, checked with each probe for the whole life of its process: it may
// close its listener, and a different process may take the port or replace the socket's file.
//
// Two questions. The user: the routers compare it with owner() at every connection, before a byte is sent. And the
// process, so that a stranger of the same user is found, too: for a unix socket the router reports which process
// listens, for a TCP port the kernel is asked for the inode of the listening socket. What was verified once is
// remembered, so that a repeated check costs one netlink question or nothing. Only a difference costs a search in
// /proc.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/peer_owner.hpp"
#include "config/base/restored.hpp"
#include "supervisor/kernel/socket_owner.hpp"
#include "supervisor/process/containment.hpp"

namespace gray::supervisor {

class AddressClaim {
 public:
  /// `inherited`: the socket is grayd's own, and a connect reaches the process that inherited it.
  AddressClaim(uid_t owner, bool inherited) : owner_(owner), inherited_(inherited) {}

  /// The user who must be behind the address.
  uid_t owner() const { return owner_; }
  /// A router found a different user. True if the worker itself listens, as that user: a program that was started as
  /// root and changed its user before it opened its socket. That user is the owner from now on.
  bool changed_user(const PeerOwner& found, const Address& address, const Containment& worker,
                    const PeerOwners& kernel);
  /// Why it was not accepted, and what to do: one line.
  std::string complaint(const PeerOwner& found, const Address& address) const;

  /// Of a passed probe: `peer` is what the router knows about the other end.
  Listener check(const std::optional<PeerOwner>& peer, const Address& address, const Containment& worker,
                 const PeerOwners& kernel);

  /// Whether the socket that was verified last still listens at the port, and each connection to it was accepted. One
  /// netlink question; false if that cannot be known. A connect would show no more than this.
  bool listens_unchanged(const Address& address, const PeerOwners& kernel) const;

  /// Of a probe that could not connect: whether what is at the path of a unix socket cannot be the worker's. An
  /// unprivileged router cannot connect to every socket, and then does not see whose it is.
  Listener check_path(const Address& address) const;

  explicit AddressClaim(Restored) {}
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("owner", owner_);
    io("inherited", inherited_);
    io("listener", listener_);
    io("inodes", inodes_);
  }

 private:
  uid_t owner_ = 0;
  bool inherited_ = false;
  pid_t listener_ = 0;                 // the process of the worker that listens at its unix socket; 0: not verified yet
  std::vector<std::uint64_t> inodes_;  // the sockets of the worker that listen at its port
};

}  // namespace gray::supervisor
