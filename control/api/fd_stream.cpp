#include "control/api/fd_stream.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gray::control {
namespace {

/// True once `fd` shows one of `events`, false at `until`.
bool wait_for(int fd, short events, TimePoint until) {
  for (;;) {
    auto left = std::chrono::ceil<Duration>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{fd, events, 0};
    int n = ::poll(&entry, 1, static_cast<int>(left));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

}  // namespace

bool FdStream::peer_gone() const {
  pollfd entry{fd_.get(), 0, 0};  // POLLHUP and POLLERR are always reported
  return ::poll(&entry, 1, 0) > 0;
}

std::optional<ucred> FdStream::peer() const {
  ucred peer{};
  socklen_t length = sizeof peer;
  const bool known = ::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid > 0;
  return known ? std::optional(peer) : std::nullopt;
}

bool FdStream::is_readable() const { return begin_ < end_ || wait_for(fd_.get(), POLLIN, read_until_); }

bool FdStream::is_writable() const { return wait_for(fd_.get(), POLLOUT, Clock::now() + kWriteTime); }

bool FdStream::fill() {
  if (taken_ >= kRequestBytes || !wait_for(fd_.get(), POLLIN, read_until_)) return false;
  ssize_t n = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
  if (n < 0) return false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(n);
  taken_ += end_;
  return true;
}

ssize_t FdStream::read(char* into, std::size_t size) {
  if (begin_ == end_ && !fill()) return -1;
  std::size_t n = std::min(size, end_ - begin_);
  std::memcpy(into, buffer_.data() + begin_, n);
  begin_ += n;
  return static_cast<ssize_t>(n);
}

ssize_t FdStream::write(const char* from, std::size_t size) {
  for (std::size_t sent = 0; sent < size;) {
    if (!is_writable()) return -1;
    ssize_t n = ::send(fd_.get(), from + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return -1;
    sent += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  return static_cast<ssize_t>(size);
}

void FdStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void FdStream::get_local_ip_and_port(std::string& ip, int& port) const { get_remote_ip_and_port(ip, port); }

}  // namespace gray::control
