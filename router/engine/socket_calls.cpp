#include "router/engine/socket_calls.hpp"

#include <linux/tcp.h>  // the tcp_info of glibc ends before tcpi_bytes_acked
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "config/base/sanitized.hpp"

namespace gray::engine {

// ThreadSanitizer learns from the library's calls what happens before what.
ssize_t receive(int fd, char* to, std::size_t size) {
  if constexpr (kSanitized) return ::recv(fd, to, size, 0);
  return ::syscall(SYS_recvfrom, fd, to, size, 0, nullptr, nullptr);
}

ssize_t transmit(int fd, std::string_view bytes) {
  if constexpr (kSanitized) return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return ::syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
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

void acknowledge_received(int fd) {
  const int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void set_reset_on_close(int fd) {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

}  // namespace gray::engine
