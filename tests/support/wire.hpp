#pragma once
// Plain blocking sockets for tests, for a client or a worker on the other side of the code under test. Every call ends
// after kTimeout at the latest, so that a broken test fails instead of hanging.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "config/base/address.hpp"
#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::test {

inline constexpr Duration kTimeout{10'000};

/// Polls until `done()` is true; false after kTimeout.
template <typename Done>
bool eventually(Done done) {
  const auto deadline = Clock::now() + kTimeout;
  while (!done()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(Duration{1});
  }
  return true;
}

/// Sleeps, where time is a part of the tested case; never to wait for a condition.
inline void let_pass(Duration time) { std::this_thread::sleep_for(time); }

/// Until `count()` is above 0 and has not changed for a fifth of a second; false after kTimeout.
template <typename Count>
bool stands_still(Count count) {
  auto last = count();
  auto since = Clock::now();
  return eventually([&] {
    if (const auto now = count(); now == 0 || now != last) {
      last = now;
      since = Clock::now();
    }
    return Clock::now() - since > Duration{200};
  });
}

/// Holds threads back until the test opens it.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kTimeout, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// A received request or answer. `complete`: up to its end, with chunks decoded.
struct Message {
  std::string head, body;
  bool complete = false;

  int status() const {
    int value = 0;
    if (head.size() >= 12) std::from_chars(head.data() + 9, head.data() + 12, value);
    return value;
  }
  bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
  /// The value of a field, names compared without case; empty if absent.
  std::string field(std::string_view name) const {
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
      const std::string_view line = std::string_view(head).substr(at + 2);
      if (line.size() <= name.size() || line[name.size()] != ':') continue;
      if (!std::equal(name.begin(), name.end(), line.begin(), same)) continue;
      const std::string_view value = line.substr(name.size() + 1, line.find("\r\n") - name.size() - 1);
      return std::string(value.substr(std::min(value.find_first_not_of(' '), value.size())));
    }
    return {};
  }
};

class Wire {
 public:
  enum class End { none, closed, reset, silent };

  explicit Wire(UniqueFd fd) : fd_(std::move(fd)) {
    const timeval timeout{kTimeout.count() / 1000, 0};
    (void)setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    (void)setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  }

  int fd() const { return fd_.get(); }
  /// How reading ended; `none` while it has not.
  End end() const { return end_; }

  /// False: the peer closed the connection or does not read.
  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// Each piece in its own packet, which the peer most likely reads separately.
  bool write_in_pieces(std::string_view bytes, std::size_t size) const {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
      if (!write(bytes.substr(0, size))) return false;
      std::this_thread::yield();
    }
    return true;
  }

  Message read_request() {
    Message message;
    if (read_head(message)) message.complete = read_body(message, false);
    return message;
  }
  Message read_answer(bool to_head_request = false) {
    Message message;
    if (!read_head(message)) return message;
    const int status = message.status();
    const bool bodiless = to_head_request || status < 200 || status == 204 || status == 304;
    message.complete = bodiless || read_body(message, true);
    return message;
  }
  bool read_head(Message& message) {
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return false;
    }
    message.head = take(end + 4);
    return true;
  }
  /// Everything until the peer closes, resets, or is silent for too long.
  std::string read_rest() {
    while (fill()) {
    }
    return take(buffer_.size());
  }
  bool read_exactly(std::size_t count, std::string& out) {
    while (buffer_.size() < count) {
      if (!fill()) return false;
    }
    out += take(count);
    return true;
  }

  void finish_writing() const { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  /// The peer sees a connection reset.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
  }

 private:
  bool fill() {
    char bytes[16384];
    const ssize_t count = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (count < 0 && errno == EINTR) return fill();
    if (count > 0) buffer_.append(bytes, static_cast<std::size_t>(count));
    if (count == 0) end_ = End::closed;
    if (count < 0) end_ = errno == EAGAIN ? End::silent : End::reset;
    return count > 0;
  }
  std::string take(std::size_t count) {
    std::string taken = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return taken;
  }
  bool read_body(Message& message, bool until_close) {
    if (message.field("transfer-encoding") == "chunked") return read_chunks(message.body);
    const std::string length = message.field("content-length");
    if (!length.empty()) return read_exactly(std::stoul(length), message.body);
    if (!until_close) return true;
    message.body = read_rest();
    return end_ == End::closed;
  }
  bool read_chunks(std::string& body) {
    while (true) {
      std::size_t line;
      while ((line = buffer_.find("\r\n")) == std::string::npos) {
        if (!fill()) return false;
      }
      const std::size_t size = std::stoul(take(line + 2), nullptr, 16);
      std::string line_end;
      if (!read_exactly(size, body) || !read_exactly(2, line_end)) return false;
      if (size == 0) return true;
    }
  }

  UniqueFd fd_;
  std::string buffer_;
  End end_ = End::none;
};

/// A loopback TCP socket with a port from the kernel, bound; others are refused until listen().
class Listener {
 public:
  /// `flags` as of socket(2): what a router is to accept from must be SOCK_NONBLOCK.
  explicit Listener(int flags = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 ||
        getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
      throw std::runtime_error("no loopback port for the test");
    }
    address_ = *Address::from(bound, length);
  }
  void listen(int backlog = 1024) const {
    if (::listen(fd_.get(), backlog) != 0) throw std::runtime_error("listen on a loopback port failed");
  }
  int fd() const { return fd_.get(); }
  const Address& address() const { return address_; }

 private:
  UniqueFd fd_;
  Address address_;
};

/// A connected client. `receive_buffer` in bytes makes it a slow reader sooner; 0 leaves it to the kernel.
inline Wire dial(const Address& address, int receive_buffer = 0) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0) (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_storage storage{};
  const socklen_t length = address.to(storage);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) {
    throw std::runtime_error("no process listens on " + address.text());
  }
  return Wire(std::move(fd));
}

}  // namespace gray::test
