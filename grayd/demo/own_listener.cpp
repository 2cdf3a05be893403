#include "grayd/demo/own_listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "grayd/process/loopback.hpp"

namespace gray::demo {
namespace {

constexpr int kBacklog = 1024;

UniqueFd listening_at(std::uint16_t port) {
  UniqueFd fd = master::bound_to_loopback(port);
  if (!fd || ::listen(fd.get(), kBacklog) == 0) return fd;
  const int cause = errno;
  fd.reset();
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
