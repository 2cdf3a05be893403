#include "supervisor/process/notify_socket.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "config/base/address.hpp"
#include "config/base/unix_bind.hpp"

namespace gray::supervisor {
namespace {

/// As recv(2). The buffer has room for the sender only, so the kernel closes the passed descriptors.
ssize_t receive(int socket, std::array<char, Notice::kBytes>& text, pid_t& sender) {
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = ::recvmsg(socket, &message, MSG_TRUNC | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const cmsghdr* const header = got < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS) return got;
  ucred credentials{};
  std::memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
  sender = credentials.pid;
  return got;
}

}  // namespace

UniqueFd open_notify_socket(const std::string& path) {
  const auto address = Address::parse("unix:" + path);
  if (!address) {
    errno = ENAMETOOLONG;
    return {};
  }
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_storage storage{};
  const socklen_t length = address->to(storage);
  const int on = 1;  // before the bind: a datagram that was queued earlier would have no sender
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) return {};
  if (!bind_with_mode(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length, 0666)) return {};
  return socket;
}

std::vector<Notice> read_notices(int socket, std::size_t most, const std::function<bool(pid_t sender)>& may_send) {
  std::array<char, Notice::kBytes> text;
  std::vector<Notice> notices;
  while (most-- > 0) {
    pid_t sender = 0;
    const ssize_t got = receive(socket, text, sender);
    if (got < 0 && errno != EINTR) break;
    const auto size = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    if (size > text.size()) continue;
    Notice notice = Notice::parse({text.data(), size});
    if (notice.empty() || may_send(sender)) notices.push_back(std::move(notice));
  }
  return notices;
}

}  // namespace gray::supervisor
