#pragma once
// Listening sockets that a service manager opened before it started grayd (sd_listen_fds(3)): LISTEN_FDS descriptors
// from 3 on, if LISTEN_PID is this process. Only their addresses identify them, which must be those of [listen]; names
// and order are ignored.
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
  /// Removes the variables: they are valid for one reader, once.
  static ActivatedSockets from_environment();

  /// The socket that is bound to this address; the caller owns it then. Invalid if there is none.
  UniqueFd take(const Address& address);
  /// Addresses of the sockets that were not taken.
  std::vector<std::string> left() const;
  /// Logs them: a socket that [listen] does not name is a mistake in one of the two configurations.
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
