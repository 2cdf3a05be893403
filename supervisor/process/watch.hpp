#pragma once
// Calls back whenever a descriptor is readable, until it is closed. Owns the descriptor. The callback may destroy the
// watch.
#include <asio/io_context.hpp>
#include <functional>
#include <memory>

#include "config/base/unique_fd.hpp"

namespace gray::supervisor {

class Watch {
 public:
  Watch() = default;
  Watch(asio::io_context& io, UniqueFd fd, std::function<void()> readable);
  Watch(Watch&& other) noexcept = default;
  Watch& operator=(Watch&& other) noexcept;
  ~Watch() { close(); }

  /// -1 once closed.
  int fd() const;
  explicit operator bool() const { return fd() >= 0; }
  /// No callback comes after this.
  void close();

 private:
  struct State;
  static void wait(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the operation in flight, which may outlive the watch
};

}  // namespace gray::supervisor
