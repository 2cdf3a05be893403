#pragma once
// The public listening sockets, one per configured address, for the whole life of the master and shared by all routers.
//
//  They are bound at start, so that a port in use is detected before anything else happens, and listen later, once
//  requests can be answered. Never SO_REUSEPORT (connections would be lost at every replacement of a router), never
//  shutdown(2) (it would also affect the routers' copies).
#include <string>
#include <vector>

#include "config/base/address.hpp"
#include "config/base/unique_fd.hpp"
#include "grayd/activated_sockets.hpp"

namespace gray::master {

/// `socket` refers to `fresh` from now on, under the same number. Throws std::runtime_error.
void replace_socket(const UniqueFd& socket, UniqueFd fresh);

class Listeners {
 public:
  /// Binds all addresses that are not among `given`. Throws std::runtime_error with a line for people; `key` is the key
  /// of [listen] that names them.
  explicit Listeners(const std::vector<Address>& addresses, std::string key = "http",
                     ActivatedSockets* given = nullptr);
  Listeners() = default;
  ~Listeners();  // unlinks the unix sockets that it created
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  /// Throws std::runtime_error if another program took the address between bind and now.
  void listen();
  /// The unix sockets that it created, by path.
  const std::vector<std::string>& paths() const { return paths_; }
  /// A new socket at that path, listening, with the descriptor of the old one. Throws std::runtime_error.
  void restore(const std::string& path);
  std::vector<int> fds() const;
  /// As bound: port 0 is replaced by the port that the kernel chose.
  const std::vector<Address>& addresses() const { return addresses_; }
  /// "http://127.0.0.1:8000 unix:/run/web.sock"
  std::string text() const;

  template <class Io>
  void archive(Io& io);

 private:
  std::string key_;
  std::vector<Address> addresses_;
  std::vector<UniqueFd> sockets_;
  std::vector<std::string> paths_;  // to be unlinked
};

}  // namespace gray::master
