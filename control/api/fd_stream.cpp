#include "control/api/fd_stream.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gray::control {
namespace {

constexpr std::size_t kPiece = 4'096;  // bytes that are read at once

}  // namespace

FdStream::FdStream(int fd, const CutOff& cut_off, Bounds bounds, std::string received)
    : fd_(fd),
      cut_off_(cut_off),
      bounds_(bounds),
      read_until_(std::min(bounds.end, Clock::now() + kRequestTime)),
      buffer_(std::move(received)),
      end_(buffer_.size()),
      taken_(end_) {}

bool FdStream::wait_for(int event, TimePoint until) const {
  return cut_off_.wait(std::min(until, bounds_.end), {event, POLLIN, 0}, {fd_, 0, 0});
}

bool FdStream::peer_gone() const {
  pollfd entry{fd_, 0, 0};  // POLLHUP and POLLERR are always reported
  return ::poll(&entry, 1, 0) > 0;
}

std::optional<ucred> FdStream::peer() const {
  ucred peer{};
  socklen_t length = sizeof peer;
  const bool known = ::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid > 0;
  return known ? std::optional(peer) : std::nullopt;
}

bool FdStream::is_readable() const { return begin_ < end_ || cut_off_.wait(read_until_, {fd_, POLLIN, 0}); }

bool FdStream::is_writable() const {
  return cut_off_.wait(std::min(bounds_.end, Clock::now() + kWriteTime), {fd_, POLLOUT, 0});
}

bool FdStream::fill() {
  buffer_.resize(kPiece);
  ssize_t n = -1;
  do {
    if (full() || !cut_off_.wait(read_until_, {fd_, POLLIN, 0})) return false;
    n = ::recv(fd_, buffer_.data(), std::min(buffer_.size(), bounds_.request_bytes - taken_), MSG_DONTWAIT);
  } while (n < 0 && errno == EAGAIN);
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
    if (Clock::now() >= bounds_.end) return -1;
    const ssize_t n = ::send(fd_, from + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno != EAGAIN || !is_writable())) return -1;
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
