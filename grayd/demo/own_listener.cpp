#include "grayd/demo/own_listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace gray::demo {
namespace {

constexpr int kBacklog = 1024;

UniqueFd listening_at(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool done = fd && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                    ::listen(fd.get(), kBacklog) == 0;
  const int cause = errno;
  if (!done) fd.reset();
  errno = cause;  // closing may have changed it
  return fd;
}

std::uint16_t port_of(const UniqueFd& fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

OwnListener open_listener(std::uint16_t port) {
  UniqueFd fd = listening_at(port);
  const int refused = fd ? 0 : errno;
  if (!fd && port != 0) fd = listening_at(0);
  if (!fd) throw std::system_error(errno, std::generic_category(), "no free port on 127.0.0.1");
  const std::uint16_t own = port_of(fd);
  return {std::move(fd), own, refused};
}

}  // namespace gray::demo
