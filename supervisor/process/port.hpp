#pragma once
// A TCP port of 127.0.0.1 for a worker. The master keeps a socket bound to it while the worker may need it.
#include <cstdint>
#include <optional>
#include <utility>

#include "config/base/address.hpp"
#include "config/base/restored.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::supervisor {

class Port {
 public:
  /// Bound, not listening: the kernel does not assign the port again, while a server that sets SO_REUSEADDR (nearly all
  /// do) can listen on it. For one that does not, release() frees it before the start. Nothing if no port is free (see
  /// errno).
  static std::optional<Port> reserve();
  /// Listening, to be inherited by one worker after the other: connections between two of them wait.
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
