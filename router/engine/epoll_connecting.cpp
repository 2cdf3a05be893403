// How streams of the epoll engine connect.
//
// A listener with a full backlog takes no connection, and no event follows when there is room. A unix socket refuses
// the connect with EAGAIN. One of TCP may seem connected at our end only: what is sent is dropped, repeated by the
// kernel later and later, or reset. Such a stream is not connected yet: it is looked at again, the oldest first, until
// there is room or its handler closes it. So the caller's limit for connecting applies, and nothing was sent.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "router/engine/epoll_engine.hpp"
#include "router/engine/socket_calls.hpp"

namespace gray::engine {
namespace {

/// 0, EINPROGRESS, EAGAIN from a unix listener with a full backlog, or why it failed.
int begin_connect(int fd, const Address& to) {
  sockaddr_storage storage{};
  const socklen_t length = to.to(storage);
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&storage), length) == 0 ? 0 : errno;
}

Address address_of_peer(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  (void)::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length);
  return Address::from(storage, length).value_or(Address{});
}

}  // namespace

StreamId EpollEngine::connect(const Address& to, uid_t owner, StreamHandler& handler) {
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  set_no_delay(fd);
  limit_not_sent(fd, kMaxNotSent);
  const int error = begin_connect(fd, to);
  const StreamId id = add(fd, handler, Stream::Phase::connecting);
  Stream* stream = streams_.find(id);
  if (stream == nullptr) {
    ::close(fd);
    return {};
  }
  stream->expected = owner;
  if (error == EAGAIN) {
    await_room(*stream, to);
  } else if (error != EINPROGRESS) {
    begun(*stream, error);
  }
  return id;
}

void EpollEngine::await_room(Stream& stream, const Address& to) {
  stream.refused = true;
  stream.connected = false;
  const bool known = std::ranges::any_of(refused_, [&to](const Refused& it) { return it.to == to; });
  refused_.push_back({stream.id(), to});
  if (!known) retry_.begin(now_);
  const TimePoint next = retry_.next(now_);
  if (!connect_again_.armed() || next < connect_again_.deadline()) wheel_.arm(connect_again_, next);
}

// It is connected, or it has failed.
void EpollEngine::begun(Stream& stream, int error) {
  stream.connected = error == 0;
  stream.error = error;
  mark_ready(stream);
}

// Events that came meanwhile were ignored: reading shows them.
void EpollEngine::connect_refused() {
  std::vector<Refused> all = std::exchange(refused_, {});
  for (Refused& one : all) {
    Stream* stream = streams_.find(one.stream);
    const auto error = stream == nullptr ? std::nullopt : connect_again(*stream, one.to, all);
    one.over = stream == nullptr || error;
    if (!error) continue;
    retry_.begin(now_);
    stream->refused = false;
    stream->readable = true;
    begun(*stream, *error);
  }
  std::erase_if(all, [](const Refused& one) { return one.over; });
  for (Refused& one : all) refused_.push_back({one.stream, std::move(one.to)});
  if (!refused_.empty()) wheel_.arm(connect_again_, retry_.next(now_));
}

// 0, or why it failed; nothing: there is no room yet. `all` has what the ones before it have taken of the room.
std::optional<int> EpollEngine::connect_again(const Stream& stream, const Address& to, std::vector<Refused>& all) {
  const auto first = std::find_if(all.begin(), all.end(), [&](const Refused& it) { return it.to == to; });
  if (to.kind == Address::Kind::unix_path) {
    if (first->full) return std::nullopt;
    const int error = begin_connect(stream.fd, to);
    first->full = error == EAGAIN;
    return first->full ? std::nullopt : std::optional(error);
  }
  if (const int error = socket_error(stream.fd); error != 0) return error;
  const PeerOwners::Peer peer = owners_.of(stream.fd);
  if (peer.overflow || (peer.room > 0 && first->taken >= peer.room)) return std::nullopt;
  ++first->taken;
  return 0;
}

// Returns whether reading continues.
bool EpollEngine::tell_connected(Stream& stream) {
  if (!stream.connected && stream.error == 0) return false;
  int error = std::exchange(stream.error, 0);
  PeerOwners::Peer peer;
  if (error == 0) {
    peer = owners_.of(stream.fd);
    if (peer.state == PeerOwners::Peer::State::known) stream.peer = peer.owner;
    if (peer.state == PeerOwners::Peer::State::nobody) error = ECONNABORTED;
  }
  if (stream.peer && stream.peer->uid != stream.expected) {
    stream.handler->on_stranger(*stream.peer);
    return false;
  }
  if (peer.overflow) {
    await_room(stream, address_of_peer(stream.fd));
    return false;
  }
  if (error == 0) stream.phase = Stream::Phase::open;
  stream.handler->on_connected(error);
  return error == 0;
}

StreamId EpollEngine::add(int fd, StreamHandler& handler, Stream::Phase phase) {
  Stream* const taken = streams_.take();
  if (taken == nullptr) return {};
  Stream& stream = *taken;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = static_cast<std::uint64_t>(stream.index) << 32 | stream.generation;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    streams_.give_back(stream);
    return {};
  }
  stream.fd = fd;
  stream.handler = &handler;
  stream.phase = phase;
  return stream.id();
}

StreamId EpollEngine::adopt(int fd, StreamHandler& handler, std::unique_ptr<Transform> transform) {
  set_no_delay(fd);
  const StreamId id = add(fd, handler, Stream::Phase::open);
  if (Stream* stream = streams_.find(id)) stream->transform = std::move(transform);
  return id;
}

}  // namespace gray::engine
