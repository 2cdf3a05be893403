#include "supervisor/process/address_claim.hpp"

#include <netinet/tcp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "supervisor/kernel/process_table.hpp"
#include "supervisor/process/credentials.hpp"

namespace gray::supervisor {
namespace {

bool is_unix(const Address& address) { return address.kind == Address::Kind::unix_path; }

bool exists(pid_t pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

}  // namespace

// The proof must not depend on the moment: a process that changes what is at the address between two questions must not
// make a stranger's user the owner. So the pid is that of the very connection, and the inode and its user are one
// answer.
bool AddressClaim::changed_user(const PeerOwner& found, const Address& address, const Containment& worker,
                                const PeerOwners& kernel) {
  if (inherited_) return false;
  if (is_unix(address)) {
    if (!worker.contains(found.pid)) return false;
  } else {
    const auto socket = kernel.listener(address);
    if (!socket || socket->uid != found.uid) return false;
    const auto holds = [&](pid_t pid) { return holds_socket(pid, {socket->inode}); };
    const auto members = worker.members();
    if (std::none_of(members.begin(), members.end(), holds)) return false;
  }
  owner_ = found.uid;
  return true;
}

std::string AddressClaim::complaint(const PeerOwner& found, const Address& address) const {
  const std::string holder = found.pid != 0 ? describe_process(found.pid) : owner_of(address);
  return address.text() + " is answered by " + describe_user(found.uid) + (holder.empty() ? "" : ", " + holder) +
         "; expected " + describe_user(owner_) + "; stop that program, or restart the worker to give it a new address";
}

Listener AddressClaim::check(const std::optional<PeerOwner>& peer, const Address& address, const Containment& worker,
                             const PeerOwners& kernel) {
  if (inherited_) return {Listener::Owner::worker, {}};
  if (is_unix(address) && peer && peer->pid != 0) {
    if (peer->pid == listener_ || worker.contains(peer->pid)) {
      listener_ = peer->pid;
      return {Listener::Owner::worker, {}};
    }
    if (exists(peer->pid)) return {Listener::Owner::stranger, stranger_at(address, describe_process(peer->pid))};
  }
  std::vector<std::uint64_t> inodes;
  const auto socket = is_unix(address) ? std::nullopt : kernel.listener(address);
  if (socket)
    inodes.push_back(socket->inode);
  else
    inodes = listening_at(address);
  if (!inodes.empty() && inodes == inodes_) return {Listener::Owner::worker, {}};
  // Almost always the first process listens, and to find the others all processes of the host are looked at.
  const bool by_leader = !inodes.empty() && holds_socket(worker.leader(), inodes);
  Listener found = by_leader ? Listener{Listener::Owner::worker, {}} : find_listener(address, inodes, worker.members());
  if (found.owner == Listener::Owner::worker) inodes_ = std::move(inodes);
  return found;
}

bool AddressClaim::listens_unchanged(const Address& address, const PeerOwners& kernel) const {
  if (inherited_ || is_unix(address)) return false;
  const auto socket = kernel.listener(address);
  return socket && socket->state == TCP_LISTEN && socket->waiting == 0 && socket->uid == owner_ &&
         inodes_ == std::vector{socket->inode};
}

// A socket of our own user is not proof: a program that changes its user may have bound it before.
Listener AddressClaim::check_path(const Address& address) const {
  struct stat found{};
  if (inherited_ || !is_unix(address) || ::lstat(address.path.c_str(), &found) != 0) return {};
  const bool is_link = S_ISLNK(found.st_mode);
  if (!is_link && (found.st_uid == owner_ || found.st_uid == ::geteuid())) return {};
  return {Listener::Owner::stranger,
          address.text() + (is_link ? " is a symbolic link" : " belongs to " + describe_user(found.st_uid)) +
              "; expected a socket of " + describe_user(owner_) + "; restart the worker to give it a new address"};
}

}  // namespace gray::supervisor
