#include "router/engine/socket_calls.hpp"

#include <linux/tcp.h>  // the tcp_info of glibc ends before tcpi_bytes_acked
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "config/base/sanitized.hpp"
#include "router/engine/engine.hpp"

namespace gray::engine {

namespace {

/// recvfrom(2) or sendto(2) without an address, on a connected socket. In place: the library's syscall(2) moves each
/// argument to a different register.
ssize_t transfer(long number, int fd, const char* bytes, std::size_t size, int flags) {
#ifdef __x86_64__
  register long r10 asm("r10") = flags;
  register long r8 asm("r8") = 0;  // no address
  register long r9 asm("r9") = 0;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(long{fd}), "S"(bytes), "d"(size), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
#else
  return ::syscall(number, fd, bytes, size, flags, nullptr, 0);
#endif
}

}  // namespace

// ThreadSanitizer learns from the library's calls what happens before what.
ssize_t receive(int fd, char* to, std::size_t size) {
  return kSanitized ? ::recv(fd, to, size, 0) : transfer(SYS_recvfrom, fd, to, size, 0);
}

ssize_t transmit(int fd, std::string_view bytes) {
  return kSanitized ? ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                    : transfer(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

ssize_t transmit_pieces(int fd, std::span<const std::string_view> pieces) {
  std::array<iovec, Engine::kMaxPieces> parts;
  const std::size_t count = std::min(pieces.size(), parts.size());
  for (std::size_t i = 0; i < count; ++i) parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

int socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

// The SYN counts as one byte.
bool acknowledged_any(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return true;
  if (length < offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) return true;
  return info.tcpi_bytes_acked > 1;
}

void set_no_delay(int fd) {
  const int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void limit_not_sent(int fd, std::size_t bytes) {
  const int limit = static_cast<int>(bytes);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, sizeof limit);
}

// In flight: sent, and not acknowledged. The SYN counts as one acknowledged byte.
std::optional<std::size_t> sendable(int fd, std::size_t not_sent_limit) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
  if (length < offsetof(tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd) return std::nullopt;
  const std::uint64_t gone = info.tcpi_bytes_retrans + std::max<std::uint64_t>(info.tcpi_bytes_acked, 1) - 1;
  const std::uint64_t in_flight = info.tcpi_bytes_sent > gone ? info.tcpi_bytes_sent - gone : 0;
  const std::uint64_t congestion = std::uint64_t{info.tcpi_snd_cwnd} * info.tcpi_snd_mss;
  const std::uint64_t room = std::min<std::uint64_t>(info.tcpi_snd_wnd, congestion) + not_sent_limit;
  const std::uint64_t used = in_flight + info.tcpi_notsent_bytes;
  return room > used ? room - used : 0;
}

void acknowledge_received(int fd) {
  const int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void set_reset_on_close(int fd) {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

}  // namespace gray::engine
