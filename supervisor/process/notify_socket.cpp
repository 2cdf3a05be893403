#include "supervisor/process/notify_socket.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "config/base/address.hpp"
#include "config/base/unix_bind.hpp"

namespace gray::supervisor {

UniqueFd open_notify_socket(const std::string& path) {
  const auto address = Address::parse("unix:" + path);
  if (!address) {
    errno = ENAMETOOLONG;
    return {};
  }
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_storage storage{};
  const socklen_t length = address->to(storage);
  if (!socket || !bind_with_mode(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length, 0666)) return {};
  return socket;
}

// Without a buffer for control messages the kernel closes the passed descriptors.
std::vector<Notice> read_notices(int socket, std::size_t most) {
  std::array<char, Notice::kBytes> text;
  std::vector<Notice> notices;
  while (most-- > 0) {
    const ssize_t got = ::recv(socket, text.data(), text.size(), MSG_TRUNC | MSG_DONTWAIT);
    if (got < 0 && errno != EINTR) break;
    const auto size = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    if (size <= text.size()) notices.push_back(Notice::parse({text.data(), size}));
  }
  return notices;
}

}  // namespace gray::supervisor
