// The lower limit for every proxy: copies bytes between each client and a separate socket to the backend, and does
// nothing else. The additional cost of a proxy is the cost of its HTTP.
//
// Model: a pair is two sides; each side is read when an edge says so, and what was read is sent to the other at once.
// Invariants
//  - A side with unsent bytes is not given more: its peer is not read until they are gone, so memory stays bounded.
//  - A pair ends whole: when one side has ended or failed, both sockets are closed.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <deque>
#include <exception>
#include <string>
#include <vector>

#include "tests/bench/socket.hpp"

namespace gray::bench {
namespace {

struct Side {
  UniqueFd fd;
  std::string unsent;
  bool readable = false;
  bool hung_up = false;
};

class Relay {
 public:
  Relay(UniqueFd listener, sockaddr_in backend, std::size_t buffer)
      : backend_(backend), listener_(std::move(listener)), scratch_(buffer, '\0') {
    poller_.add(listener_.get(), kListener);
  }

  [[noreturn]] void run() {
    while (true) {
      for (const epoll_event& event : poller_.wait(Clock::now() + std::chrono::hours(1))) on_event(event);
      // Only now: an event of the same batch may still name a pair that another event has ended.
      free_.insert(free_.end(), ended_.begin(), ended_.end());
      ended_.clear();
    }
  }

 private:
  static constexpr std::uint64_t kListener = ~0ull;

  void accept_all() {
    while (true) {
      UniqueFd client{accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      if (!client) return;
      UniqueFd upstream = connect_to(backend_);
      if (!upstream) continue;
      set_option(client.get(), IPPROTO_TCP, TCP_NODELAY);
      if (free_.empty()) {
        free_.push_back(sides_.size());
        sides_.resize(sides_.size() + 2);
      }
      const std::size_t at = free_.back();
      free_.pop_back();
      poller_.add(client.get(), at);
      poller_.add(upstream.get(), at + 1);
      sides_[at].fd = std::move(client);
      sides_[at + 1].fd = std::move(upstream);
    }
  }

  void on_event(const epoll_event& event) {
    if (event.data.u64 == kListener) return accept_all();
    Side& side = sides_[event.data.u64];
    Side& peer = sides_[event.data.u64 ^ 1];
    if (!side.fd) return;
    if (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) side.hung_up = true;
    if (event.events & ~std::uint32_t{EPOLLOUT}) side.readable = true;
    const bool alive = (side.unsent.empty() || (flush(side) && carry(peer, side))) && carry(side, peer);
    if (!alive) end(event.data.u64 & ~std::uint64_t{1});
  }

  /// Moves what there is to read; false when the pair is over.
  bool carry(Side& from, Side& to) {
    while (from.readable && to.unsent.empty()) {
      const ssize_t count = recv(from.fd.get(), scratch_.data(), scratch_.size(), 0);
      if (count == 0 || (count < 0 && errno != EAGAIN)) return false;
      from.readable = count == static_cast<ssize_t>(scratch_.size()) || (count > 0 && from.hung_up);
      if (count > 0 && !give(to, {scratch_.data(), static_cast<std::size_t>(count)})) return false;
    }
    return true;
  }

  static bool give(Side& to, std::string_view bytes) {
    const ssize_t count = send(to.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    // An upstream that is still connecting says EAGAIN too, and its edge comes when it is connected.
    if (count < 0 && errno != EAGAIN) return false;
    bytes.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    to.unsent.assign(bytes);
    return true;
  }

  static bool flush(Side& side) { return give(side, std::exchange(side.unsent, {})); }

  void end(std::size_t at) {
    sides_[at] = Side{};
    sides_[at + 1] = Side{};
    ended_.push_back(at);
  }

  sockaddr_in backend_;
  UniqueFd listener_;
  Poller poller_;
  std::string scratch_;             // what is read at once
  std::deque<Side> sides_;          // a client at an even index, its upstream behind it
  std::vector<std::size_t> free_;   // even indices
  std::vector<std::size_t> ended_;  // free from the next batch of events on
};

void run(std::uint16_t port, std::uint16_t backend, std::size_t buffer) {
  raise_descriptor_limit();
  std::signal(SIGTERM, [](int) { _exit(0); });
  UniqueFd listener = listen_on(ipv4("127.0.0.1", port));
  std::printf("%u\n", static_cast<unsigned>(local_port(listener.get())));
  std::fflush(stdout);
  Relay(std::move(listener), ipv4("127.0.0.1", backend), buffer).run();
}

}  // namespace
}  // namespace gray::bench

int main(int argc, char** argv) {
  std::uint16_t port = 0, backend = 0;
  std::size_t buffer = 64 * 1024;
  CLI::App app{"Carries bytes between each client and a connection of its own to 127.0.0.1:BACKEND; prints its port."};
  app.add_option("--port", port, "0 takes one from the kernel");
  app.add_option("--buffer", buffer, "bytes that are read at once")->capture_default_str();
  app.add_option("backend", backend, "port of the backend")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    gray::bench::run(port, backend, buffer);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "relay: %s\n", error.what());
    return 1;
  }
}
