#pragma once
// For tests that run as root: a process of a different user that listens.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/base/address.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::test {

inline constexpr uid_t kOtherUser = 65534;

/// Creates its listening socket at `address` as kOtherUser; a unix socket is bound before the user changes, so that the
/// path may be in a folder of ours. Ends with the object.
class OtherUser {
 public:
  explicit OtherUser(const Address& address) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      const bool is_path = address.kind == Address::Kind::unix_path;
      UniqueFd socket = is_path ? bound(address) : UniqueFd();
      if (::setresuid(kOtherUser, kOtherUser, kOtherUser) != 0) ::_exit(1);
      if (!is_path) socket = bound(address);
      if (::listen(socket.get(), 16) != 0 || ::write(theirs.get(), "x", 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    theirs.reset();
    char byte;
    REQUIRE(::read(ours.get(), &byte, 1) == 1);
  }
  ~OtherUser() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  OtherUser(const OtherUser&) = delete;
  OtherUser& operator=(const OtherUser&) = delete;

  pid_t pid() const { return pid_; }

 private:
  static UniqueFd bound(const Address& address) {
    UniqueFd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_storage storage{};
    const socklen_t length = address.to(storage);
    if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) ::_exit(1);
    return socket;
  }
  pid_t pid_ = -1;
};

}  // namespace gray::test
