// Invariant: a connection is in the list until it was closed or handed over. Handlers that come later see `here` false;
// they hold the object, not the descriptor.
#include "control/api/arrivals.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace gray::control {

struct Arrivals::Waiting {
  Waiting(asio::io_context& io, UniqueFd fd) : connection(io, fd.get()), deadline(io) { fd.release(); }
  asio::posix::stream_descriptor connection;
  asio::steady_timer deadline;
  std::string received;
  TimePoint since = Clock::now();
  std::list<Handle>::iterator place;
  bool here = true;
};

Arrivals::Arrivals(asio::io_context& io, Limits limits, Judge judge, std::function<void(Request)> arrived,
                   std::function<void()> left)
    : io_(io), limits_(limits), judge_(std::move(judge)), arrived_(std::move(arrived)), left_(std::move(left)) {}

Arrivals::~Arrivals() = default;

void Arrivals::add(UniqueFd connection) {
  Handle one;
  try {
    one = std::make_shared<Waiting>(io_, std::move(connection));
  } catch (const std::system_error&) {
    return;  // the kernel cannot watch another descriptor: the connection is closed
  }
  one->place = waiting_.insert(waiting_.end(), one);
  arm(one, limits_.first_byte);
  receive(one);  // most callers have sent their request by now
}

bool Arrivals::close_oldest() {
  if (waiting_.empty() || Clock::now() - waiting_.front()->since < kYouth) return false;
  close(*Handle(waiting_.front()));
  return true;
}

void Arrivals::close_all() {
  while (!waiting_.empty()) close(*Handle(waiting_.front()));
}

void Arrivals::await(const Handle& one) {
  one->connection.async_wait(asio::posix::stream_descriptor::wait_read, [this, one](std::error_code error) {
    if (!error && one->here) receive(one);
  });
}

void Arrivals::arm(const Handle& one, Duration limit) {
  one->deadline.expires_after(limit);
  one->deadline.async_wait([this, one](std::error_code error) {
    if (!error && one->here) overdue(one);
  });
}

void Arrivals::receive(const Handle& one) {
  std::array<char, 4096> buffer;
  const auto room = std::min(buffer.size(), limits_.bytes - one->received.size());
  const auto got = ::recv(one->connection.native_handle(), buffer.data(), room, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? await(one) : close(*one);
  if (got > 0 && one->received.empty()) arm(one, limits_.request);
  one->received.append(buffer.data(), static_cast<std::size_t>(got));
  judge(one, got == 0);
}

void Arrivals::judge(const Handle& one, bool ended) {
  if (one->received.empty()) return close(*one);
  const auto arrival = judge_(one->received);
  if (arrival == Arrival::whole) return hand_over(*one, true);
  if (arrival == Arrival::slow || ended || one->received.size() >= limits_.bytes) return hand_over(*one, ended);
  await(one);
}

/// A request whose body is late gets a thread after all, if one is free for such requests.
void Arrivals::overdue(const Handle& one) {
  const bool head = !one->received.empty() && judge_(one->received) == Arrival::head;
  head ? hand_over(*one, false) : close(*one);
}

UniqueFd Arrivals::take_out(Waiting& one) {
  one.here = false;
  one.deadline.cancel();
  UniqueFd connection(one.connection.release());
  // Asio makes what it waits for non-blocking; who serves a connection does not expect that.
  ::fcntl(connection.get(), F_SETFL, ::fcntl(connection.get(), F_GETFL) & ~O_NONBLOCK);
  waiting_.erase(one.place);
  return connection;
}

void Arrivals::hand_over(Waiting& one, bool whole) {
  auto received = std::move(one.received);
  arrived_({take_out(one), std::move(received), whole});
}

void Arrivals::close(Waiting& one) {
  take_out(one).reset();
  left_();
}

}  // namespace gray::control
