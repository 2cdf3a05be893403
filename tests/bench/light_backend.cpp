// The lightest useful HTTP/1.1 server: one thread, epoll, a fixed answer. It is the backend of a proxy under test, so
// that a benchmark measures the proxy and not the backend. Works as a worker of grayd.
//
// Model: a connection is read only when a slot is free; the others wait unread in their sockets, first come first
// served, as behind a single-threaded program. A request takes its slot when it has been read and holds it for the
// delay, even if its client leaves: a busy program does not notice either.
// Invariants
//  - A connection is at most one of: queued in runnable_, serving (in due_), sending (unsent > 0).
//  - It is closed only when it is none of these, so an index in a queue never names another connection.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/socket.hpp"

namespace gray::bench {
namespace {

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::size_t body = 32;
  unsigned delay_ms = 0;
  std::size_t slots = 0;  // 0: no limit
};

class Backend {
 public:
  Backend(const Options& options, UniqueFd listener)
      : delay_(std::chrono::milliseconds(options.delay_ms)), slots_(options.slots), listener_(std::move(listener)) {
    reply_ = reply_of(options.body);
    poller_.add(listener_.get(), kListener);
  }

  [[noreturn]] void run() {
    while (true) {
      const TimePoint until = due_.empty() ? Clock::now() + std::chrono::hours(1) : due_.front().at;
      for (const epoll_event& event : poller_.wait(until)) on_event(event);
      answer_due();
      serve_runnable();
    }
  }

 private:
  static constexpr std::uint64_t kListener = ~0ull;
  static constexpr std::size_t kMaxBody = 64 << 20;  // bytes that a path may ask for
  static constexpr std::size_t kMaxSizes = 16;       // different ones

  static std::string reply_of(std::size_t size) {
    const char* version = std::getenv("GRAY_VERSION");
    std::string body = version != nullptr ? version : "light";
    body.resize(size, '.');
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body;
  }

  /// The answer to a request whose path begins with /bytes/N, else the usual one.
  const std::string& reply_to(std::string_view request) {
    constexpr std::string_view kPath = " /bytes/";
    const std::size_t at = request.substr(0, request.find('\n')).find(kPath);
    if (at == std::string_view::npos) return reply_;
    std::size_t size = 0;
    std::from_chars(request.data() + at + kPath.size(), request.data() + request.size(), size);
    const auto known = sized_.find(size);
    if (known != sized_.end()) return known->second;
    if (size > kMaxBody || sized_.size() == kMaxSizes) return reply_;
    return sized_[size] = reply_of(size);
  }

  struct Connection {
    UniqueFd fd;
    bool queued = false;
    bool serving = false;
    bool readable = false;  // an edge has come that no read has used up
    bool hung_up = false;
    bool close_after = false;
    std::string in;
    const std::string* reply = nullptr;
    std::size_t unsent = 0;  // so many last bytes of it have yet to go out
  };
  struct Due {
    TimePoint at;
    std::uint32_t index = 0;
  };

  void on_event(const epoll_event& event) {
    if (event.data.u64 == kListener) return accept_all();
    const auto index = static_cast<std::uint32_t>(event.data.u64);
    Connection& connection = connections_[index];
    if (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) connection.hung_up = true;
    if (event.events & ~std::uint32_t{EPOLLOUT}) connection.readable = true;
    if (connection.unsent > 0) {
      flush(index);
    } else {
      enqueue(index);
    }
  }

  void accept_all() {
    while (true) {
      UniqueFd fd{accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      if (!fd) return;
      set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY);
      if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(connections_.size()));
        connections_.emplace_back();
      }
      const std::uint32_t index = free_.back();
      free_.pop_back();
      poller_.add(fd.get(), index);
      connections_[index] = Connection{};
      connections_[index].fd = std::move(fd);
    }
  }

  void enqueue(std::uint32_t index) {
    Connection& connection = connections_[index];
    const bool work = connection.readable || !connection.in.empty();
    if (!work || connection.queued || connection.serving) return;
    connection.queued = true;
    runnable_.push_back(index);
  }

  void serve_runnable() {
    while (!runnable_.empty() && (slots_ == 0 || due_.size() < slots_)) {
      const std::uint32_t index = runnable_.front();
      runnable_.pop_front();
      connections_[index].queued = false;
      serve(index);
    }
  }

  void serve(std::uint32_t index) {
    Connection& connection = connections_[index];
    if (connection.readable && !fill(connection)) return close(index);
    const std::size_t length = request_length(connection.in);
    if (length == 0) return;  // the rest comes with another edge
    connection.close_after = connection.in.find("onnection: close") < length;
    connection.reply = &reply_to(connection.in);
    connection.in.erase(0, length);
    if (delay_ == Clock::duration::zero()) return answer(index);
    connection.serving = true;
    due_.push_back({Clock::now() + delay_, index});
  }

  /// Reads what is there; false when the peer has closed and left no whole request to answer.
  static bool fill(Connection& connection) {
    static thread_local std::array<char, 64 * 1024> scratch;
    while (true) {
      const ssize_t count = recv(connection.fd.get(), scratch.data(), scratch.size(), 0);
      if (count < 0 && errno == EAGAIN) break;
      if (count <= 0) return request_length(connection.in) > 0;
      connection.in.append(scratch.data(), static_cast<std::size_t>(count));
      if (static_cast<std::size_t>(count) < scratch.size() && !connection.hung_up) break;
    }
    connection.readable = false;
    return true;
  }

  /// Bytes of the first request in `in`, head and body; 0 while it is not whole. Chunked requests are not understood.
  static std::size_t request_length(std::string_view in) {
    const std::size_t head = in.find("\r\n\r\n");
    if (head == std::string_view::npos) return 0;
    std::size_t body = 0;
    constexpr std::string_view kField = "ontent-";
    for (std::size_t at = 0; (at = in.find(kField, at)) < head; at += kField.size()) {
      std::string_view rest = in.substr(at + kField.size(), head - at - kField.size());
      if (!rest.starts_with("Length: ") && !rest.starts_with("length: ")) continue;
      rest.remove_prefix(8);
      std::from_chars(rest.data(), rest.data() + rest.size(), body);
    }
    return in.size() >= head + 4 + body ? head + 4 + body : 0;
  }

  void answer_due() {
    for (const TimePoint now = Clock::now(); !due_.empty() && due_.front().at <= now;) {
      const std::uint32_t index = due_.front().index;
      due_.pop_front();
      connections_[index].serving = false;
      answer(index);
    }
  }

  void answer(std::uint32_t index) {
    connections_[index].unsent = connections_[index].reply->size();
    flush(index);
  }

  void flush(std::uint32_t index) {
    Connection& connection = connections_[index];
    while (connection.unsent > 0) {
      const std::string& reply = *connection.reply;
      const char* rest = reply.data() + reply.size() - connection.unsent;
      const ssize_t count = send(connection.fd.get(), rest, connection.unsent, MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) return;
      if (count < 0) connection.close_after = true;
      connection.unsent = count < 0 ? 0 : connection.unsent - static_cast<std::size_t>(count);
    }
    if (connection.close_after) return close(index);
    enqueue(index);
  }

  void close(std::uint32_t index) {
    connections_[index] = Connection{};
    free_.push_back(index);
  }

  Clock::duration delay_;
  std::size_t slots_;
  UniqueFd listener_;
  Poller poller_;
  std::string reply_;
  std::map<std::size_t, std::string> sized_;  // by the size of the body; elements stay where they are
  std::deque<Connection> connections_;
  std::vector<std::uint32_t> free_;     // indices into connections_
  std::deque<std::uint32_t> runnable_;  // longest waiting first
  std::deque<Due> due_;                 // one for each slot taken; the delay is one, so it is sorted
};

void say_ready() {
  const char* fd = std::getenv("GRAY_READY_FD");
  if (fd == nullptr) return;
  const UniqueFd pipe{std::atoi(fd)};
  constexpr std::string_view kReady = "READY=1\n";
  if (write(pipe.get(), kReady.data(), kReady.size()) < 0) fail("GRAY_READY_FD");
}

void run(const Options& options) {
  raise_descriptor_limit();
  std::signal(SIGTERM, [](int) { _exit(0); });
  UniqueFd listener = listen_on(ipv4(options.host, options.port));
  std::printf("%u\n", static_cast<unsigned>(local_port(listener.get())));
  std::fflush(stdout);
  say_ready();
  Backend(options, std::move(listener)).run();
}

}  // namespace
}  // namespace gray::bench

int main(int argc, char** argv) {
  gray::bench::Options options;
  CLI::App app{"A tiny HTTP/1.1 backend with a fixed answer; prints its port."};
  app.add_option("--host", options.host)->envname("HOST")->capture_default_str();
  app.add_option("--port", options.port, "0 takes one from the kernel")->envname("PORT")->capture_default_str();
  app.add_option("--body", options.body, "bytes of the answer's body")->capture_default_str();
  app.add_option("--delay-ms", options.delay_ms, "how long a request holds its slot")->capture_default_str();
  app.add_option("--slots", options.slots, "requests served at once; 0: no limit")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    gray::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "light_backend: %s\n", error.what());
    return 1;
  }
}
