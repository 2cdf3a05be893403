#pragma once
// The connections that get each picture of the live feed. Everything runs on the thread of the io_context, and nothing
// waits for a watcher.
//
// Invariants
//  - A watcher holds at most two pictures, which all watchers share: the one that is being sent, and the newest. Those
//    between them are left out.
//  - A watcher that has not taken a picture completely within `timeout` is cut off.
#include <asio/io_context.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"
#include "control/api/seats.hpp"

namespace gray::control {

class Watchers {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Place = std::shared_ptr<Seats::Taken>;

  struct Limits {
    Duration timeout{10'000};
    int kernel_bytes = 64 << 10;  // that the kernel keeps of what a watcher has not read
  };

  /// `left`: called after the last one has left.
  Watchers(asio::io_context& io, Limits limits, std::function<void()> left)
      : io_(io), limits_(limits), left_(std::move(left)) {}
  ~Watchers();
  /// `first`: what it gets at once; null: nothing yet. The place is given back when the connection is closed.
  void add(UniqueFd connection, Place place, Text first);
  void show(Text text);
  void close_all();
  bool empty() const { return all_.empty(); }
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;

 private:
  struct Watcher;
  using Handle = std::shared_ptr<Watcher>;
  void begin(const Handle& one, const Text& text);
  void send(const Handle& one);
  void await_end(const Handle& one);
  void look_for_end(const Handle& one);
  void close(Watcher& one);

  asio::io_context& io_;
  const Limits limits_;
  const std::function<void()> left_;
  std::list<Handle> all_;
};

}  // namespace gray::control
