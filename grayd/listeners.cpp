#include "grayd/listeners.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "config/base/archive.hpp"
#include "config/base/unix_bind.hpp"
#include "supervisor/kernel/socket_owner.hpp"

namespace gray::master {
namespace {

constexpr int kBacklog = 4096;  // the kernel lowers it to net.core.somaxconn
// As open as a port, whatever the umask is: access is restricted by the folder.
constexpr mode_t kUnixMode = 0666;

[[noreturn]] void fail(const Address& address, const std::string& key, int cause) {
  const auto where = address.text();
  if (cause == EADDRINUSE) {
    const auto owner = supervisor::owner_of(address);
    throw std::runtime_error(fmt::format("{} is in use{}; stop that program or change [listen] {}", where,
                                         owner.empty() ? "" : " (by " + owner + ")", key));
  }
  auto remedy = "correct [listen] " + key;
  if (cause == EACCES) remedy = "a port below 1024 needs CAP_NET_BIND_SERVICE, a unix path a writable folder";
  if (cause == EADDRNOTAVAIL) remedy = "this host has no such address";
  throw std::runtime_error(fmt::format("cannot listen on {}: {}; {}", where, std::strerror(cause), remedy));
}

UniqueFd open_socket(const Address& address, const std::string& key) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) fail(address, key, errno);
  return fd;
}

/// A socket file on which no process listens was left by a dead process; no other file is removed.
void clear_path(const Address& address, const std::string& key) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(address.path).parent_path(), ignored);
  struct stat facts{};
  if (::lstat(address.path.c_str(), &facts) != 0) return;
  if (!S_ISSOCK(facts.st_mode)) {
    throw std::runtime_error(
        fmt::format("cannot listen on {}: the path exists and is not a socket; remove it or change "
                    "[listen] {}",
                    address.text(), key));
  }
  const auto client = open_socket(address, key);
  sockaddr_storage storage;
  const auto length = address.to(storage);
  const bool answered = ::connect(client.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0;
  if (answered || errno == EAGAIN) fail(address, key, EADDRINUSE);
  ::unlink(address.path.c_str());
}

void set_options(const UniqueFd& fd, const Address& address) {
  const int on = 1;
  if (address.kind == Address::Kind::unix_path) return;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.kind == Address::Kind::ipv6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
}

UniqueFd bind_socket(const Address& address, const std::string& key) {
  if (address.kind == Address::Kind::unix_path) clear_path(address, key);
  auto fd = open_socket(address, key);
  set_options(fd, address);
  sockaddr_storage storage;
  const auto length = address.to(storage);
  const auto* const name = reinterpret_cast<const sockaddr*>(&storage);
  const bool bound = address.kind == Address::Kind::unix_path ? bind_with_mode(fd.get(), name, length, kUnixMode)
                                                              : ::bind(fd.get(), name, length) == 0;
  if (!bound) fail(address, key, errno);
  return fd;
}

Address bound_address(const UniqueFd& fd, const Address& asked) {
  if (asked.kind == Address::Kind::unix_path) return asked;
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  return Address::from(storage, length).value_or(asked);
}

}  // namespace

void replace_socket(const UniqueFd& socket, UniqueFd fresh) {
  if (::dup3(fresh.get(), socket.get(), O_CLOEXEC) < 0)
    throw std::runtime_error(fmt::format("cannot replace a socket: {}", std::strerror(errno)));
}

// The delegated constructor completes the object: if an address is refused, the destructor removes the socket files.
Listeners::Listeners(const std::vector<Address>& addresses, std::string key, ActivatedSockets* given) : Listeners() {
  key_ = std::move(key);
  for (const auto& address : addresses) {
    auto socket = given != nullptr ? given->take(address) : UniqueFd();
    if (!socket) {
      socket = bind_socket(address, key_);
      if (address.kind == Address::Kind::unix_path) paths_.push_back(address.path);
    }
    sockets_.push_back(std::move(socket));
    addresses_.push_back(bound_address(sockets_.back(), address));
  }
}

Listeners::~Listeners() {
  for (const auto& path : paths_) ::unlink(path.c_str());
}

void Listeners::listen() {
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    if (::listen(sockets_[i].get(), kBacklog) != 0) fail(addresses_[i], key_, errno);
  }
}

void Listeners::restore(const std::string& path) {
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    if (addresses_[i].kind != Address::Kind::unix_path || addresses_[i].path != path) continue;
    auto fresh = bind_socket(addresses_[i], key_);
    if (::listen(fresh.get(), kBacklog) != 0) fail(addresses_[i], key_, errno);
    replace_socket(sockets_[i], std::move(fresh));
  }
}

std::vector<int> Listeners::fds() const {
  std::vector<int> fds;
  for (const auto& socket : sockets_) fds.push_back(socket.get());
  return fds;
}

std::string Listeners::text() const {
  std::string text;
  for (const auto& address : addresses_) {
    if (!text.empty()) text += ' ';
    text += (address.kind == Address::Kind::unix_path ? "" : key_ == "https" ? "https://" : "http://") + address.text();
  }
  return text;
}

template <class Io>
void Listeners::archive(Io& io) {
  io("key", key_);
  io("addresses", addresses_);
  io("sockets", sockets_);
  io("paths", paths_);
}
template void Listeners::archive(Save&);
template void Listeners::archive(Load&);

}  // namespace gray::master
