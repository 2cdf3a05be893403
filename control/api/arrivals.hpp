#pragma once
// Connections whose request has not arrived yet. They wait on the io_context, so that a caller that sends nothing, or
// only half of a request, occupies no thread. Each has a time limit for its first byte and one, from then on, for the
// rest. Everything runs on the thread of the io_context.
#include <asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"
#include "control/api/arrival.hpp"

namespace gray::control {

class Arrivals {
 public:
  static constexpr Duration kYouth{100};  // a younger connection is never closed to make room

  struct Limits {
    std::size_t bytes = kArriving;               // of a request that are read here
    Duration first_byte{5'000}, request{1'000};  // from the accept; from the first byte
  };
  struct Request {
    UniqueFd connection;
    std::string received;
    bool whole = false;  // no more bytes are expected
  };
  using Judge = std::function<Arrival(std::string_view received)>;

  /// `arrived` takes a request; it is whole, or its head is there and the rest takes long, or no more bytes fit or
  /// come. `left`: called after a connection was closed.
  Arrivals(asio::io_context& io, Limits limits, Judge judge, std::function<void(Request)> arrived,
           std::function<void()> left);
  ~Arrivals();
  void add(UniqueFd connection);
  std::size_t count() const { return waiting_.size(); }
  /// Closes the one that has waited longest; false if there is none or it is younger than kYouth.
  bool close_oldest();
  void close_all();
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

 private:
  struct Waiting;
  using Handle = std::shared_ptr<Waiting>;
  void await(const Handle& one);
  void arm(const Handle& one, Duration limit);
  void receive(const Handle& one);
  void judge(const Handle& one, bool ended);
  void overdue(const Handle& one);
  UniqueFd take_out(Waiting& one);
  void hand_over(Waiting& one, bool whole);
  void close(Waiting& one);

  asio::io_context& io_;
  const Limits limits_;
  const Judge judge_;
  const std::function<void(Request)> arrived_;
  const std::function<void()> left_;
  std::list<Handle> waiting_;  // oldest first
};

}  // namespace gray::control
