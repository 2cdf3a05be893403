#pragma once
// The few socket calls the load tools share: IPv4 loopback addresses, non-blocking sockets, one epoll set.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::bench {

[[noreturn]] inline void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

inline sockaddr_in ipv4(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
    throw std::invalid_argument(host + " is not an IPv4 address; give one like 127.0.0.1");
  return address;
}

inline void set_option(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof on);
}

/// A listening, non-blocking socket; port 0 takes one from the kernel. Throws std::system_error.
inline UniqueFd listen_on(const sockaddr_in& address) {
  UniqueFd fd{socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) fail("bind");
  if (listen(fd.get(), 4096) < 0) fail("listen");
  return fd;
}

inline std::uint16_t local_port(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0) fail("getsockname");
  return ntohs(address.sin_port);
}

/// A socket whose connect is under way, or an empty one with errno set when it was refused at once.
inline UniqueFd connect_to(const sockaddr_in& address) {
  UniqueFd fd{socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return fd;
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  const int result = connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (result < 0 && errno != EINPROGRESS) return UniqueFd{};
  return fd;
}

inline void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// An edge-triggered epoll set. Every socket is registered once, for everything; its tag comes back with each event.
class Poller {
 public:
  Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!fd_) fail("epoll_create1");
  }

  void add(int fd, std::uint64_t tag) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = tag;
    if (epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
  }

  /// Waits until something happens or `until` has come. epoll_pwait2, since a millisecond is too coarse for a schedule.
  std::span<epoll_event> wait(TimePoint until) {
    const auto left = std::max(until - Clock::now(), Clock::duration::zero());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec timeout{seconds.count(), static_cast<long>((left - seconds).count())};
    const int count = epoll_pwait2(fd_.get(), events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
  }

 private:
  UniqueFd fd_;
  std::array<epoll_event, 256> events_{};
};

}  // namespace gray::bench
