// Invariant: a connection is in the list until it is closed. Handlers that come later see `here` false; they hold the
// object, not the descriptor.
#include "control/api/watchers.hpp"

#include <sys/socket.h>

#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace gray::control {
namespace {

constexpr std::size_t kMostSaid = 16 << 10;  // bytes that a watcher may send; they are ignored

}  // namespace

struct Watchers::Watcher {
  Watcher(asio::io_context& io, UniqueFd fd, Place its_place)
      : connection(io, fd.get()), deadline(io), place(std::move(its_place)) {
    fd.release();
  }
  asio::posix::stream_descriptor connection;
  asio::steady_timer deadline;
  Place place;
  Text current, next;
  std::size_t sent = 0, said = 0;
  std::list<Handle>::iterator at;
  bool here = true;
};

Watchers::~Watchers() = default;

void Watchers::add(UniqueFd connection, Place place, Text first) {
  Handle one;
  try {
    ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDBUF, &limits_.kernel_bytes, sizeof limits_.kernel_bytes);
    one = std::make_shared<Watcher>(io_, std::move(connection), std::move(place));
  } catch (const std::system_error&) {
    if (all_.empty()) left_();
    return;  // the kernel cannot watch another descriptor: the connection is closed
  }
  one->at = all_.insert(all_.end(), one);
  await_end(one);
  if (first) begin(one, first);
}

void Watchers::show(Text text) {
  for (auto at = all_.begin(); at != all_.end();) {
    const Handle one = *at++;  // begin() may close it
    if (one->current)
      one->next = text;
    else
      begin(one, text);
  }
}

void Watchers::close_all() {
  while (!all_.empty()) close(*Handle(all_.front()));
}

void Watchers::begin(const Handle& one, const Text& text) {
  one->current = text;
  one->sent = 0;
  one->deadline.expires_after(limits_.timeout);
  one->deadline.async_wait([this, one](std::error_code error) {
    // When it expired just before it was cancelled, the handler still runs; the picture may have been taken since.
    if (!error && one->here && one->current && one->deadline.expiry() <= Clock::now()) close(*one);
  });
  send(one);
}

void Watchers::send(const Handle& one) {
  while (one->sent < one->current->size()) {
    const auto n = ::send(one->connection.native_handle(), one->current->data() + one->sent,
                          one->current->size() - one->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return close(*one);
    if (n < 0)
      return one->connection.async_wait(asio::posix::stream_descriptor::wait_write, [this, one](std::error_code error) {
        if (!error && one->here) send(one);
      });
    one->sent += static_cast<std::size_t>(n);
  }
  one->deadline.cancel();
  one->current.reset();
  if (const Text next = std::exchange(one->next, nullptr)) begin(one, next);
}

void Watchers::await_end(const Handle& one) {
  one->connection.async_wait(asio::posix::stream_descriptor::wait_read, [this, one](std::error_code error) {
    if (!error && one->here) look_for_end(one);
  });
}

void Watchers::look_for_end(const Handle& one) {
  std::array<char, 1024> ignored;
  const auto n = ::recv(one->connection.native_handle(), ignored.data(), ignored.size(), MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return close(*one);
  one->said += n > 0 ? static_cast<std::size_t>(n) : 0;
  one->said > kMostSaid ? close(*one) : await_end(one);
}

void Watchers::close(Watcher& one) {
  one.here = false;
  one.deadline.cancel();
  std::error_code ignored;
  one.connection.close(ignored);
  one.place.reset();
  all_.erase(one.at);
  if (all_.empty()) left_();
}

}  // namespace gray::control
