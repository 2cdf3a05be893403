#pragma once
// A TCP port for a worker. The master keeps a socket bound to it, never listening, while the worker lives: the kernel
// then gives the port to nobody else, while a server that sets SO_REUSEADDR (nearly all do) can listen on it. For one
// that does not, release() gives it up before the start.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/unique_fd.hpp"

namespace gray::supervisor {

class Port {
 public:
  /// A free port of 127.0.0.1; nothing if the system has none (errno tells).
  static std::optional<Port> reserve();
  std::uint16_t number() const { return number_; }
  bool reserved() const { return static_cast<bool>(socket_); }
  void release() { socket_.reset(); }

 private:
  Port(UniqueFd socket, std::uint16_t number) : socket_(std::move(socket)), number_(number) {}
  UniqueFd socket_;
  std::uint16_t number_ = 0;
};

/// Inodes of the sockets that listen on a port, from the text of /proc/net/tcp or tcp6.
std::vector<std::uint64_t> listening_inodes(const std::string& proc_net_tcp, std::uint16_t port);

/// Who answers on the port of a worker. A connect alone proves nothing: somebody else may have been faster.
struct Listener {
  enum class Owner { none, worker, stranger } owner = Owner::none;
  std::string complaint;  // stranger: "port N is answered by pid P (NAME), not by this worker"
};
Listener find_listener(std::uint16_t port, const std::vector<pid_t>& worker_pids);

}  // namespace gray::supervisor
