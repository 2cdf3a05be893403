#pragma once
// An engine on a thread of its own, a handler that records its events, and the peers of a test.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <future>
#include <string>
#include <thread>

#include "config/base/unique_fd.hpp"
#include "router/engine/engine.hpp"

namespace gray::engine {

/// An engine on a thread of its own; `on` runs a task there and waits for it.
struct Running {
  BufferPool buffers{8 << 20};
  std::unique_ptr<Engine> engine = make_engine(buffers);
  std::thread thread{[this] { engine->run(); }};
  ~Running() {
    engine->stop();
    thread.join();
  }
  template <typename Task>
  auto on(Task task) {
    std::packaged_task<decltype(task())()> packaged(task);
    auto result = packaged.get_future();
    engine->post([&] { packaged(); });
    return result.get();
  }
  /// A field of a handler, read where it is written.
  template <typename Field>
  Field get(const Field& field) {
    return on([&field] { return field; });
  }
  /// Waits until `done`, called on the engine's thread, is true; false after five seconds.
  template <typename Done>
  bool until(Done done) {
    const auto deadline = Clock::now() + std::chrono::seconds(5);
    while (Clock::now() < deadline) {
      if (on(done)) return true;
      ::poll(nullptr, 0, 1);
    }
    return false;
  }
};

struct Log final : StreamHandler {
  Running& run;
  Engine& engine;
  StreamId stream;
  std::string data;
  int closes = 0, ends = 0, writables = 0, finishes = 0, failures = 0, connects = 0, strangers = 0, resets = 0,
      closings = 0, last_error = 0;
  bool echo = false;
  std::size_t read_at_once = kMaxRead;
  std::function<void()> then;
  explicit Log(Running& owner) : run(owner), engine(*owner.engine) {}
  int released = -1;
  // A test may end while its peers still send.
  ~Log() {
    run.on([this] { engine.close(stream); });
    if (stream && !run.until([this] { return closes > 0 || released >= 0; })) std::abort();  // it must live until then
  }
  void on_connected(int error) override {
    ++connects;
    last_error = error;
  }
  void on_stranger(const PeerOwner&) override { ++strangers; }
  std::size_t read_size() override { return read_at_once; }
  void on_data(std::string_view bytes) override {
    data += bytes;
    if (echo) engine.send(stream, bytes);
    if (then) then();
  }
  void on_end() override { ++ends; }
  void on_writable() override { ++writables; }
  void on_finished() override { ++finishes; }
  void on_failed(int error) override {
    ++failures;
    last_error = error;
  }
  void on_peer_closing(bool reset) override { ++(reset ? resets : closings); }
  void on_closed() override { ++closes; }
  void on_released(int fd) override { released = fd; }
};

struct Pair {
  UniqueFd ours, peer;
  Pair() {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    ours.reset(fds[0]);
    peer.reset(fds[1]);
    REQUIRE(fcntl(ours.get(), F_SETFL, O_NONBLOCK) == 0);
  }
  void write(std::string_view bytes) const {
    REQUIRE(::send(peer.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  std::string read(std::size_t wanted) const {
    std::string text;
    char buffer[65536];
    while (text.size() < wanted) {
      const ssize_t count = ::recv(peer.get(), buffer, sizeof buffer, 0);
      if (count <= 0) break;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }
};

/// A loopback TCP listener with a port from the kernel.
struct TcpListener {
  UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  Address address;
  TcpListener() {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &length) == 0);
    address = *Address::from(bound, length);
  }
  void listen() const { REQUIRE(::listen(fd.get(), 64) == 0); }
  UniqueFd dial() const {
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage{};
    const socklen_t length = address.to(storage);
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
    return client;
  }
};

}  // namespace gray::engine
