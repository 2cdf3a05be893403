#include "supervisor/process/port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace gray::supervisor {
namespace {

constexpr int kBacklog = 1024;  // connections that wait for a worker; the kernel lowers it to net.core.somaxconn

}  // namespace

std::optional<Port> Port::reserve() {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return std::nullopt;
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return std::nullopt;
  return Port(std::move(socket), ntohs(address.sin_port));
}

std::optional<Port> Port::listen() {
  auto port = reserve();
  if (!port || ::listen(port->fd(), kBacklog) != 0) return std::nullopt;
  port->listens_ = true;
  return port;
}

Address Port::address() const {
  Address address;
  address.ip = {127, 0, 0, 1};
  address.port = number_;
  return address;
}

}  // namespace gray::supervisor
