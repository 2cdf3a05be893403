#pragma once
// The public listening sockets, one per configured address, for the whole life of the master: bound at start, so that a
// port in use is known before anything else happens; listening later, once requests can be answered; shared by all
// routers. Never SO_REUSEPORT (it loses connections at every hand-over), never shutdown(2) (it would end the routers'
// copies too).
#include <string>
#include <vector>

#include "config/base/address.hpp"
#include "config/base/unique_fd.hpp"
#include "grayd/activated_sockets.hpp"

namespace gray::master {

class Listeners {
 public:
  /// Binds all that are not among `given`. Throws std::runtime_error with a line for people; `key` of [listen] is where
  /// they come from.
  explicit Listeners(const std::vector<Address>& addresses, std::string key = "http",
                     ActivatedSockets* given = nullptr);
  Listeners() = default;
  ~Listeners();  // unlinks unix sockets that it has made
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  /// Throws std::runtime_error if another program took the address between bind and now.
  void listen();
  std::vector<int> fds() const;
  /// As bound: a port 0 has become the kernel's choice.
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
