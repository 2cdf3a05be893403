#include "grayd/activated_sockets.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "config/base/log.hpp"

namespace gray::master {

ActivatedSockets ActivatedSockets::from_environment() {
  ActivatedSockets result;
  const char* const pid = std::getenv("LISTEN_PID");
  const char* const count = std::getenv("LISTEN_FDS");
  const bool meant = pid != nullptr && count != nullptr && std::atoi(pid) == ::getpid();
  const int end = meant ? kFirst + std::clamp(std::atoi(count), 0, kMost) : kFirst;
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"}) ::unsetenv(name);
  for (int fd = kFirst; fd < end; ++fd) result.adopt(UniqueFd(fd));
  return result;
}

// Anything but a listening stream socket is closed: grayd has no use for it.
void ActivatedSockets::adopt(UniqueFd fd) {
  int type = 0, listens = 0;
  socklen_t size = sizeof type;
  const bool stream = ::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
  size = sizeof listens;
  if (!stream || ::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) return;
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return;
  const auto address = Address::from(storage, length);
  if (!address) return;
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  sockets_.push_back({*address, std::move(fd)});
}

UniqueFd ActivatedSockets::take(const Address& address) {
  const auto found =
      std::find_if(sockets_.begin(), sockets_.end(), [&](const Socket& socket) { return socket.address == address; });
  if (found == sockets_.end()) return {};
  UniqueFd fd = std::move(found->fd);
  sockets_.erase(found);
  return fd;
}

std::vector<std::string> ActivatedSockets::left() const {
  std::vector<std::string> texts;
  for (const Socket& socket : sockets_) texts.push_back(socket.address.text());
  return texts;
}

void ActivatedSockets::warn_of_left() const {
  for (const auto& address : left())
    log(LogLevel::warn,
        address + ": the service manager passed a socket for it, but [listen] does not name it; the socket is closed");
}

}  // namespace gray::master
