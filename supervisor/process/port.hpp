#pragma once
// A TCP port for a worker, of 127.0.0.1. The master keeps a socket bound to it while the worker may need it.
#include <cstdint>
#include <optional>
#include <utility>

#include "config/base/address.hpp"
#include "config/base/restored.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::supervisor {

class Port {
 public:
  /// Bound, not listening: the kernel gives the port to nobody else, while a server that sets SO_REUSEADDR (nearly all
  /// do) can listen on it. For one that does not, release() gives it up before the start. Nothing if the system has
  /// none free (errno tells).
  static std::optional<Port> reserve();
  /// Listening, to be inherited by one worker after the other: what connects between two of them waits.
  static std::optional<Port> listen();

  std::uint16_t number() const { return number_; }
  Address address() const;
  bool reserved() const { return static_cast<bool>(socket_); }
  bool listens() const { return listens_; }
  int fd() const { return socket_.get(); }
  void release() { socket_.reset(); }

  explicit Port(Restored) {}
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("socket", socket_);
    io("number", number_);
    io("listens", listens_);
  }

 private:
  Port(UniqueFd socket, std::uint16_t number) : socket_(std::move(socket)), number_(number) {}
  UniqueFd socket_;
  std::uint16_t number_ = 0;
  bool listens_ = false;
};

}  // namespace gray::supervisor
