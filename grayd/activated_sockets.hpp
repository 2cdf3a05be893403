#pragma once
// Listening sockets that a service manager opened before it started grayd (sd_listen_fds(3)): LISTEN_FDS descriptors
// from 3 on, if LISTEN_PID is this process. They are told apart by their addresses alone, which must be those of
// [listen], so names and order mean nothing.
#include <string>
#include <vector>

#include "config/base/address.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::master {

class ActivatedSockets {
 public:
  static constexpr int kFirst = 3;
  static constexpr int kMost = 64;

  /// None.
  ActivatedSockets() = default;
  /// Removes the variables: what they say is true for one reader, once.
  static ActivatedSockets from_environment();

  /// The socket that is bound to this address, which is then the caller's; invalid if there is none.
  UniqueFd take(const Address& address);
  /// Addresses that nobody took.
  std::vector<std::string> left() const;
  /// In the log: a socket that [listen] does not name is a mistake in one of the two.
  void warn_of_left() const;

 private:
  struct Socket {
    Address address;
    UniqueFd fd;
  };
  void adopt(UniqueFd fd);

  std::vector<Socket> sockets_;
};

}  // namespace gray::master
