#include "router/engine/listener_set.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace gray::engine {
namespace {

constexpr int kAcceptsPerTurn = 16;    // so that a burst of connections cannot starve the established ones
constexpr int kLastAcceptTurns = 256;  // when listening ends: bounds the work while new connections keep coming

bool out_of_resources(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

void ListenerSet::watch(std::size_t index) const {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  event.data.u64 = static_cast<std::uint64_t>(tag_ | static_cast<std::uint32_t>(index)) << 32;
  (void)epoll_ctl(epoll_, EPOLL_CTL_ADD, listeners_[index].fd, &event);
}

void ListenerSet::unwatch(const Listener& listener) const {
  (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, listener.fd, nullptr);
}

void ListenerSet::add(int fd, AcceptHandler& handler) {
  listeners_.push_back({fd, &handler});
  if (!held_) watch(listeners_.size() - 1);
}

ListenerSet::Accepted ListenerSet::accept(std::size_t index) {
  if (index >= listeners_.size()) return Accepted::all;
  const Listener listener = listeners_[index];
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int fd = ::accept4(listener.fd, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      listener.handler->on_accept(fd, Address::from(peer, length).value_or(Address{}));
    } else if (out_of_resources(errno)) {
      return Accepted::exhausted;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return Accepted::all;
    }
  }
  return Accepted::some;
}

void ListenerSet::pause() {
  for (const Listener& listener : listeners_) unwatch(listener);
}

void ListenerSet::hold(bool held) {
  if (held == held_) return;
  if (held) pause();
  held_ = held;
  resume();
}

void ListenerSet::resume() {
  if (held_) return;
  for (std::size_t i = 0; i < listeners_.size(); ++i) watch(i);
}

void ListenerSet::finish() {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    for (int turns = 0; turns < kLastAcceptTurns && accept(i) == Accepted::some;) ++turns;
    unwatch(listeners_[i]);
  }
  listeners_.clear();
}

}  // namespace gray::engine
