#include "config/base/peer_owner.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace gray {
namespace {

struct Question {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

/// The kernel answers within our send(), with a socket or an error; optional attributes follow and are not needed.
struct Answer {
  nlmsghdr header;
  inet_diag_msg socket;
};

using AddressOf = int (*)(int, sockaddr*, socklen_t*);

std::optional<Address> address_by(AddressOf get, int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (get(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return std::nullopt;
  return Address::from(storage, length);
}

}  // namespace

// A kernel without sock_diag for TCP gives the same error as for a socket that does not exist, so an own one is asked
// for: one that is connected to itself, because a router must not listen.
PeerOwners::PeerOwners() : netlink_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG)) {
  const UniqueFd own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const linger reset{.l_onoff = 1, .l_linger = 0};  // leaves no TIME_WAIT behind
  (void)::setsockopt(own.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  sockaddr_storage storage{};
  const socklen_t length = Address::parse("127.0.0.1:0")->to(storage);
  const bool bound = netlink_ && own && ::bind(own.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0;
  const auto address = bound ? address_by(::getsockname, own.get()) : std::nullopt;
  if (address) address->to(storage);
  const bool connected = address && ::connect(own.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0;
  if (!connected || !ask(*address, &*address)) netlink_.reset();
}

std::optional<PeerOwners::Socket> PeerOwners::listener(const Address& address) const {
  return netlink_ ? ask(address, nullptr) : std::nullopt;
}

std::optional<PeerOwners::Socket> PeerOwners::ask(const Address& local, const Address* remote) const {
  Question question{};
  question.header = {sizeof question, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, ++sequence_, 0};
  question.request.sdiag_family = static_cast<std::uint8_t>(local.family());
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = ~0u;
  inet_diag_sockid& id = question.request.id;
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  id.idiag_sport = htons(local.port);
  std::memcpy(id.idiag_src, local.ip.data(), local.ip.size());
  if (remote != nullptr) {
    id.idiag_dport = htons(remote->port);
    std::memcpy(id.idiag_dst, remote->ip.data(), remote->ip.size());
  }
  if (::send(netlink_.get(), &question, sizeof question, 0) != static_cast<ssize_t>(sizeof question))
    return std::nullopt;
  Answer answer{};
  ssize_t got = 0;
  do got = ::recv(netlink_.get(), &answer, sizeof answer, 0);
  while (got > 0 && answer.header.nlmsg_seq != sequence_);  // an answer that was never read
  if (got < static_cast<ssize_t>(sizeof answer) || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  const auto* ip = answer.socket.id.idiag_src;
  const bool everywhere =
      std::all_of(ip, ip + std::size(answer.socket.id.idiag_src), [](auto part) { return part == 0; });
  return Socket{answer.socket.idiag_uid,    answer.socket.idiag_inode,  answer.socket.idiag_state,
                answer.socket.idiag_rqueue, answer.socket.idiag_wqueue, everywhere};
}

PeerOwners::Peer PeerOwners::of(int fd) const {
  const auto address = address_by(::getpeername, fd);
  if (!address) return {Peer::State::nobody, {}};
  if (address->kind != Address::Kind::unix_path) return of_tcp(fd, *address);
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return {Peer::State::nobody, {}};
  return {Peer::State::known, {credentials.uid, credentials.pid}};
}

PeerOwners::Peer PeerOwners::of_tcp(int fd, const Address& address) const {
  if (!netlink_) return {Peer::State::unknown, {}};
  auto socket = listener(address);
  if (socket && socket->state == TCP_LISTEN) {
    Peer peer{Peer::State::known, {socket->uid, 0}};
    peer.room = socket->waiting > socket->backlog ? 0 : socket->backlog + 1 - socket->waiting;
    if (peer.room > 0) return peer;
    // A full one, but this connection may be in it. One of a SYN cookie is found nowhere, so the listener is found.
    const auto own = address_by(::getsockname, fd);
    const auto other_end = own ? ask(address, &*own) : std::nullopt;
    peer.overflow = other_end && (other_end->state == TCP_SYN_RECV || other_end->state == TCP_LISTEN);
    return peer;
  }
  if (!socket) {
    const auto own = address_by(::getsockname, fd);
    socket = own ? ask(address, &*own) : std::nullopt;
    if (socket && socket->inode == 0) socket.reset();  // nobody has accepted it: its listener closed before
  }
  if (!socket) return {Peer::State::nobody, {}};
  return {Peer::State::known, {socket->uid, 0}};
}

}  // namespace gray
