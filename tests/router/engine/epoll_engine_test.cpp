// The engine against real sockets of this host: one thread runs the loop, the test thread plays the peer.
#include "router/engine/epoll_engine.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <string>
#include <thread>

#include "config/base/unique_fd.hpp"

using namespace gray;
using namespace gray::engine;

namespace {

/// An engine on a thread of its own; `on` runs there and is waited for.
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
  /// Until `done`, asked on the engine's thread, is true; false after five seconds.
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
  int ends = 0, writables = 0, finishes = 0, failures = 0, connects = 0, resets = 0, closings = 0, last_error = 0;
  bool echo = false;
  std::function<void()> then;
  explicit Log(Running& owner) : run(owner), engine(*owner.engine) {}
  ~Log() {
    run.on([this] { engine.close(stream); });  // a test ends while its peers still speak
  }
  void on_connected(int error) override {
    ++connects;
    last_error = error;
  }
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

}  // namespace

TEST_CASE("bytes come in and go out") {
  Running run;
  Pair pair;
  Log log(run);
  log.echo = true;
  run.on([&] { log.stream = run.engine->adopt(pair.ours.release(), log); });
  pair.write("hello");
  CHECK(pair.read(5) == "hello");
  run.on([&] { run.engine->close(log.stream); });
  CHECK(pair.read(1).empty());
  CHECK(run.on([&] { return run.engine->open_streams(); }) == 0);
}

TEST_CASE("data and FIN that arrive together are both told, in this order") {
  Running run;
  Pair pair;
  pair.write("last words");
  ::shutdown(pair.peer.get(), SHUT_WR);
  Log log(run);
  run.on([&] { log.stream = run.engine->adopt(pair.ours.release(), log); });
  REQUIRE(run.until([&] { return log.ends == 1; }));
  CHECK(run.get(log.data) == "last words");
}

TEST_CASE("reading stops while any reason to pause is left, and nothing is lost") {
  Running run;
  Pair pair;
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->pause(log.stream, Pause::busy);
    run.engine->pause(log.stream, Pause::sink_full);
  });
  pair.write("abc");
  run.on([&] { run.engine->resume(log.stream, Pause::busy); });
  run.on([] {});
  CHECK(run.get(log.data).empty());
  run.on([&] { run.engine->resume(log.stream, Pause::sink_full); });
  REQUIRE(run.until([&] { return log.data == "abc"; }));
}

TEST_CASE("a paused stream still learns that its peer leaves") {
  Running run;
  Pair half;
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(half.ours.release(), log);
    run.engine->pause(log.stream, Pause::busy);
  });
  half.write("unread");
  ::shutdown(half.peer.get(), SHUT_WR);
  REQUIRE(run.until([&] { return log.closings == 1; }));
  CHECK(run.get(log.data).empty());
  run.on([&] { run.engine->resume(log.stream, Pause::busy); });
  REQUIRE(run.until([&] { return log.ends == 1; }));
  CHECK(run.get(log.data) == "unread");
}

TEST_CASE("a reset of the peer is told to a paused stream as such") {
  Running run;
  TcpListener listener;
  listener.listen();
  UniqueFd client = listener.dial();
  const int accepted = ::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  REQUIRE(accepted >= 0);
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(accepted, log);
    run.engine->pause(log.stream, Pause::busy);
  });
  const linger now{.l_onoff = 1, .l_linger = 0};
  REQUIRE(setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
  client.reset();
  REQUIRE(run.until([&] { return log.resets == 1; }));
}

TEST_CASE("what the kernel does not take is kept, bounded, and on_writable says when there is room") {
  Running run;
  Pair pair;
  const int small = 4096;
  REQUIRE(setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  Log log(run);
  std::size_t total = 0;
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    while (run.engine->unsent(log.stream) <= kHighWatermark) {
      run.engine->send(log.stream, std::string(10'000, 'x'));
      total += 10'000;
    }
  });
  CHECK(run.get(log.writables) == 0);
  CHECK(pair.read(total).size() == total);
  REQUIRE(run.until([&] { return log.writables == 1 && run.engine->unsent(log.stream) == 0; }));
  CHECK(run.get(log.failures) == 0);
}

TEST_CASE("a tail above the hard cap breaks the stream off") {
  Running run;
  Pair pair;
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    for (int i = 0; i < 100; ++i) run.engine->send(log.stream, std::string(60'000, 'x'));
  });
  REQUIRE(run.until([&] { return log.failures == 1; }));
  CHECK(run.get(log.last_error) == ENOBUFS);
}

TEST_CASE("a write that fails is counted, also when the stream is being closed") {
  Running run;
  std::atomic<std::uint64_t> errors{0};
  for (const bool closing : {false, true}) {
    CAPTURE(closing);
    Pair pair;
    Log log(run);
    run.on([&] {
      log.stream = run.engine->adopt(pair.ours.release(), log);
      run.engine->count_write_errors(log.stream, errors);
      for (int i = 0; i < 2; ++i)
        run.engine->send(log.stream, std::string(180'000, 'x'));  // more than the kernel takes
      REQUIRE(run.engine->unsent(log.stream) > 0);
      if (closing) run.engine->close_after_send(log.stream, Duration{5'000}, Duration{0});
    });
    const std::uint64_t before = errors;
    pair.peer.reset();
    if (!closing) run.on([&] { run.engine->send(log.stream, "more"); });
    REQUIRE(run.until([&] { return errors == before + 1; }));
  }
}

TEST_CASE("a connect that succeeds and one that is refused are told from the loop") {
  Running run;
  TcpListener listener;
  Log refused(run), accepted(run);
  run.on([&] { refused.stream = run.engine->connect(listener.address, refused); });
  REQUIRE(run.until([&] { return refused.connects == 1; }));
  CHECK(run.get(refused.last_error) == ECONNREFUSED);
  listener.listen();
  run.on([&] { accepted.stream = run.engine->connect(listener.address, accepted); });
  REQUIRE(run.until([&] { return accepted.connects == 1; }));
  CHECK(run.get(accepted.last_error) == 0);
}

TEST_CASE("after close in its own callback a handler hears nothing more") {
  Running run;
  Pair pair;
  Log log(run);
  log.then = [&] { run.engine->close(log.stream); };
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->read_limit(log.stream, 1);
  });
  pair.write("abc");
  REQUIRE(run.until([&] { return run.engine->open_streams() == 0; }));
  CHECK(run.get(log.data) == "a");
  CHECK(run.get(log.ends) == 0);
}

TEST_CASE("close_after_send delivers the tail before the end") {
  Running run;
  Pair pair;
  const int small = 4096;
  REQUIRE(setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->send(log.stream, std::string(60'000, 'x'));
    run.engine->close_after_send(log.stream, Duration(5'000), Duration{0});
  });
  CHECK(pair.read(70'000).size() == 60'000);
  REQUIRE(run.until([&] { return run.engine->open_streams() == 0; }));
}

TEST_CASE("finish sends the tail and FIN, and reading goes on until the peer has ended too") {
  Running run;
  Pair pair;
  const int small = 4096;
  REQUIRE(setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->send(log.stream, std::string(60'000, 'x'));
    run.engine->finish(log.stream);
    run.engine->finish(log.stream);
    run.engine->send(log.stream, "too late");
  });
  CHECK(pair.read(70'000).size() == 60'000);  // and the end of it, or this would wait for ever
  pair.write("still here");
  REQUIRE(run.until([&] { return log.data == "still here"; }));
  CHECK(run.get(log.ends) == 0);
  REQUIRE(::shutdown(pair.peer.get(), SHUT_WR) == 0);
  REQUIRE(run.until([&] { return log.ends == 1; }));
  CHECK(run.get(log.failures) == 0);
  CHECK(run.on([&] { return run.engine->open_streams(); }) == 1);
}

TEST_CASE("a stream that was finished without a tail has said FIN at once") {
  Running run;
  Pair pair;
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->finish(log.stream);
  });
  CHECK(pair.read(1).empty());
}

TEST_CASE("it is told once that what was unsent at finish() is sent, and never from within the call") {
  constexpr std::size_t kBytes = 120 * 1024;
  Running run;
  Pair pair;
  const int small = 4096;
  REQUIRE(setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  Log log(run);
  const int at_once = run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->send(log.stream, std::string(kBytes, 'x'));
    REQUIRE(run.engine->unsent(log.stream) > 0);
    run.engine->finish(log.stream);
    return log.finishes;
  });
  CHECK(at_once == 0);
  CHECK(pair.read(kBytes + 1).size() == kBytes);  // and FIN
  REQUIRE(run.until([&] { return log.finishes == 1; }));
  pair.peer.reset();
  REQUIRE(run.until([&] { return log.ends == 1; }));
  CHECK(run.get(log.finishes) == 1);
}

TEST_CASE("the end of the last stream is told once, on the loop; without a stream at the end of the turn") {
  Running run;
  Pair pair;
  Log log(run);
  int told = 0;
  const int at_once = run.on([&] {
    run.engine->when_empty([&] { ++told; });
    return told;
  });
  CHECK(at_once == 0);
  CHECK(run.get(told) == 1);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->when_empty([&] { ++told; });
  });
  CHECK(run.get(told) == 1);
  run.on([&] { run.engine->close_after_send(log.stream, Duration(5'000), Duration(5'000)); });
  CHECK(run.get(told) == 1);
  pair.peer.reset();
  REQUIRE(run.until([&] { return told == 2; }));
  run.on([] {});
  CHECK(run.get(told) == 2);
}

TEST_CASE("a peer that ends its side still gets ours, and its reset is told even then") {
  Running run;
  TcpListener listener;
  listener.listen();
  UniqueFd client = listener.dial();
  const int accepted = ::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  Log log(run);
  run.on([&] { log.stream = run.engine->adopt(accepted, log); });
  REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
  REQUIRE(run.until([&] { return log.ends == 1; }));
  run.on([&] { run.engine->send(log.stream, "late"); });
  char bytes[4];
  CHECK(::recv(client.get(), bytes, 4, MSG_WAITALL) == 4);
  const linger reset{.l_onoff = 1, .l_linger = 0};
  REQUIRE(setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
  client.reset();
  REQUIRE(run.until([&] { return log.failures == 1; }));
  CHECK(run.get(log.last_error) == ECONNRESET);
  CHECK(run.get(log.ends) == 1);
}

TEST_CASE("a lingering close reads and drops until the peer closes, and within its time") {
  Running run;
  Pair pair, stubborn;
  Log log(run), other(run);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->send(log.stream, "bye");
    run.engine->close_after_send(log.stream, Duration(5'000), Duration(5'000));
    other.stream = run.engine->adopt(stubborn.ours.release(), other);
    run.engine->close_after_send(other.stream, Duration(5'000), Duration(50));
  });
  pair.write("still sending");
  CHECK(pair.read(100) == "bye");
  CHECK(run.on([&] { return run.engine->open_streams(); }) >= 1);
  pair.peer.reset();
  REQUIRE(run.until([&] { return run.engine->open_streams() == 0; }));
  CHECK(run.get(log.data).empty());
}

TEST_CASE("the time of a lingering close begins when the tail is sent, however long that took") {
  Running run;
  Pair pair;
  const int small = 4096;
  REQUIRE(setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  Log log(run);
  const std::string tail(60'000, 'x');
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->send(log.stream, tail);
    CHECK(run.engine->unsent(log.stream) > 0);
    run.engine->close_after_send(log.stream, Duration(3'600'000), Duration(50));
  });
  CHECK(pair.read(tail.size()) == tail);  // and the peer stays open
  REQUIRE(run.until([&] { return run.engine->open_streams() == 0; }));
}

TEST_CASE("abort makes the close a reset") {
  Running run;
  TcpListener listener;
  listener.listen();
  UniqueFd client = listener.dial();
  const int accepted = ::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(accepted, log);
    run.engine->abort(log.stream);
    run.engine->close(log.stream);
  });
  char byte;
  CHECK(::recv(client.get(), &byte, 1, 0) == -1);
  CHECK(errno == ECONNRESET);
}

TEST_CASE("a released socket goes on in another engine") {
  Running run, other;
  Pair pair;
  Log log(run), second(other);
  second.echo = true;
  const int fd = run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    return run.engine->release(log.stream);
  });
  REQUIRE(fd >= 0);
  other.on([&] { second.stream = other.engine->adopt(fd, second); });
  pair.write("moved");
  CHECK(pair.read(5) == "moved");
  CHECK(run.get(log.data).empty());
}

TEST_CASE("stop_listening takes what is in the backlog, then leaves the socket open") {
  Running run;
  TcpListener listener;
  struct Acceptor final : AcceptHandler {
    std::vector<UniqueFd> accepted;
    void on_accept(int fd, const Address&) override { accepted.emplace_back(fd); }
  } acceptor;
  listener.listen();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(listener.dial());
  run.on([&] {
    run.engine->listen(listener.fd.get(), acceptor);
    run.engine->stop_listening();
  });
  CHECK(acceptor.accepted.size() == 40);
  clients.push_back(listener.dial());
  run.on([] {});
  CHECK(acceptor.accepted.size() == 40);
}

TEST_CASE("timers of the wheel fire on the loop's thread") {
  Running run;
  std::promise<std::thread::id> fired;
  Timer timer(&fired, [](void* promise, TimePoint) {
    static_cast<decltype(fired)*>(promise)->set_value(std::this_thread::get_id());
  });
  run.on([&] { run.engine->timers().arm(timer, run.engine->now() + Duration(20)); });
  CHECK(fired.get_future().get() == run.thread.get_id());
}

TEST_CASE("tasks posted by several threads all run, those of one thread in their order") {
  constexpr int kThreads = 4, kTasks = 2000;
  Running run;
  std::array<int, kThreads> seen{};
  std::atomic<bool> in_order{true};
  std::vector<std::thread> posters;
  for (std::size_t i = 0; i < kThreads; ++i) {
    posters.emplace_back([&, i] {
      for (int task = 0; task < kTasks; ++task) {
        run.engine->post([&, i, task] { in_order = in_order && seen[i]++ == task; });
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  CHECK(run.until([&] { return seen == std::array<int, kThreads>{kTasks, kTasks, kTasks, kTasks}; }));
  CHECK(in_order);
}

TEST_CASE("a task that is posted by a task runs in a later turn, and sockets are served in between") {
  Running run;
  Pair pair;
  Log log(run);
  run.on([&] { log.stream = run.engine->adopt(pair.ours.release(), log); });
  bool served = false;
  std::function<void()> again = [&] {
    served = !log.data.empty();
    if (!served) run.engine->post(again);
  };
  run.engine->post(again);
  pair.write("hello");
  CHECK(run.until([&] { return served; }));
}

TEST_CASE("what is posted before the loop runs is done when it does") {
  BufferPool buffers{1 << 20};
  const auto engine = make_engine(buffers);
  int done = 0;
  engine->post([&] { ++done; });
  engine->post([&] {
    ++done;
    engine->stop();
  });
  engine->run();
  CHECK(done == 2);
}
