#pragma once
// Listening sockets.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include "config/base/address.hpp"
#include "config/base/unique_fd.hpp"
#include "tests/support/no_netlink.hpp"

namespace gray::supervisor::test {

using gray::test::forbid_netlink;
using gray::test::without_netlink;

inline UniqueFd listen_on(const Address& address) {
  UniqueFd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = address.to(storage);
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  REQUIRE(::listen(socket.get(), 1024) == 0);
  return socket;
}

inline Address address_of(const UniqueFd& socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return *Address::from(storage, length);
}

}  // namespace gray::supervisor::test
