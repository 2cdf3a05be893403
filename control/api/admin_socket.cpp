#include "control/api/admin_socket.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "config/base/unix_bind.hpp"

namespace gray::control {
namespace {

constexpr int kBacklog = 1024;  // a caller that does not block, such as grayctl, is refused when it is full

std::runtime_error failure(const std::string& path, const std::string& why) {
  return std::runtime_error(fmt::format("cannot open the admin socket {}: {}", path, why));
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw failure(path, fmt::format("the path has {} bytes, the limit is {}; set a shorter admin in [listen]",
                                    path.size(), sizeof address.sun_path - 1));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

UniqueFd new_socket(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw failure(path, std::strerror(errno));
  return fd;
}

/// Removes a stale socket, on which no process listens. Any other file at `path` is left alone.
void clear_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return;  // nothing to remove, or bind() will report the error
  if (!S_ISSOCK(found.st_mode))
    throw failure(path, "it exists and is not a socket; move it away, or set a different admin in [listen]");
  UniqueFd probe = new_socket(path);
  int connected = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (connected == 0 || errno == EAGAIN)  // EAGAIN: a full backlog, so a process listens
    throw failure(path, "another grayd uses this socket; stop that one, or set a different admin in [listen]");
  if (::unlink(path.c_str()) != 0)
    throw failure(path, fmt::format("a stale socket cannot be removed: {}", std::strerror(errno)));
}

}  // namespace

UniqueFd open_admin_socket(const std::string& path) {
  const sockaddr_un address = address_of(path);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) throw failure(path, fmt::format("its folder cannot be created: {}", error.message()));
  clear_stale(path, address);
  UniqueFd listener = new_socket(path);
  const bool bound = bind_with_mode(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address, 0660);
  if (!bound || ::listen(listener.get(), kBacklog) != 0) throw failure(path, std::strerror(errno));
  return listener;
}

}  // namespace gray::control
