// The engine against real sockets of this host: one thread runs the loop, the test thread plays the peer.
#include "router/engine/epoll_engine.hpp"

#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <deque>
#include <set>
#include <vector>

#include "tests/router/engine/running.hpp"

using namespace gray;
using namespace gray::engine;

TEST_CASE("bytes are received and sent") {
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

TEST_CASE("data and FIN that arrive together are both reported, in this order") {
  Running run;
  Pair pair;
  pair.write("last words");
  ::shutdown(pair.peer.get(), SHUT_WR);
  Log log(run);
  run.on([&] { log.stream = run.engine->adopt(pair.ours.release(), log); });
  REQUIRE(run.until([&] { return log.ends == 1; }));
  CHECK(run.get(log.data) == "last words");
}

TEST_CASE("in a turn of many events, streams that are served first do not wait for all others") {
  constexpr int kOthers = 200;  // of one turn
  Running run;
  std::vector<Pair> pairs(kOthers + 1);
  std::deque<Log> logs;
  int served = 0, before_first = -1;
  for (Pair& pair : pairs) {
    Log& log = logs.emplace_back(run);
    log.then = [&served] { ++served; };
    run.on([&] { log.stream = run.engine->adopt(pair.ours.release(), log); });
  }
  run.on([&] {
    run.engine->serve_first(logs.back().stream);
    logs.back().then = [&] { before_first = served; };
  });
  run.on([&] {  // between two turns, the first one last
    for (Pair& pair : pairs) pair.write("x");
  });
  REQUIRE(run.until([&] { return served == kOthers && before_first >= 0; }));
  CHECK(run.get(before_first) <= 32);
  CHECK(run.get(logs.back().data) == "x");
}

TEST_CASE("the time goes on within a turn of many events") {
  constexpr int kEvents = 200;  // of one turn
  Running run;
  std::vector<Pair> pairs(kEvents);
  std::deque<Log> logs;
  std::set<TimePoint> times;
  int served = 0;
  for (Pair& pair : pairs) {
    Log& log = logs.emplace_back(run);
    log.then = [&] {
      ++served;
      times.insert(run.engine->now());
    };
    run.on([&] { log.stream = run.engine->adopt(pair.ours.release(), log); });
  }
  run.on([&] {  // between two turns
    for (Pair& pair : pairs) pair.write("x");
  });
  REQUIRE(run.until([&] { return served == kEvents; }));
  CHECK(run.get(times.size()) > 2);
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

TEST_CASE("a paused stream still reports that its peer has closed") {
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

TEST_CASE("a paused stream reports a reset of the peer as a reset") {
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

TEST_CASE("bytes that the kernel does not take are kept, bounded, and on_writable reports room") {
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
  std::size_t read = 0;
  while (run.get(log.writables) == 0) read += pair.read(2'000).size();
  const std::size_t left = run.on([&] { return run.engine->unsent(log.stream); });
  CHECK(left > 0);
  CHECK(left <= kLowWatermark);
  CHECK(pair.read(total - read).size() == total - read);
  // Once more when all is sent: who paused in between must be told.
  REQUIRE(run.until([&] { return log.writables == 2 && run.engine->unsent(log.stream) == 0; }));
  CHECK(run.get(log.failures) == 0);
}

TEST_CASE("a tail above kMaxUnsent aborts the stream") {
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

TEST_CASE("what one turn sends into an empty tail may exceed kMaxUnsent by one read, what a later one adds may not") {
  Running run;
  Pair pair;
  const int small = 4096;
  REQUIRE(setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    for (int i = 0; i < 3; ++i) run.engine->send(log.stream, std::string(100'000, 'x'));
  });
  CHECK(run.on([&] { return run.engine->unsent(log.stream); }) > kMaxUnsent);
  CHECK(run.get(log.failures) == 0);
  run.on([&] { run.engine->send(log.stream, "x"); });
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

TEST_CASE("successful and refused connects are reported from the loop") {
  Running run;
  TcpListener listener;
  Log refused(run), accepted(run);
  run.on([&] { refused.stream = run.engine->connect(listener.address, ::geteuid(), refused); });
  REQUIRE(run.until([&] { return refused.connects == 1; }));
  CHECK(run.get(refused.last_error) == ECONNREFUSED);
  listener.listen();
  run.on([&] { accepted.stream = run.engine->connect(listener.address, ::geteuid(), accepted); });
  REQUIRE(run.until([&] { return accepted.connects == 1; }));
  CHECK(run.get(accepted.last_error) == 0);
}

TEST_CASE("the other end of a connect is compared with the expected owner, and a stranger gets no byte") {
  Running run;
  TcpListener listener;
  listener.listen();
  Log own(run), stranger(run);
  run.on([&] { own.stream = run.engine->connect(listener.address, ::geteuid(), own); });
  REQUIRE(run.until([&] { return own.connects == 1; }));
  CHECK(run.on([&] { return run.engine->peer(own.stream); }) == PeerOwner{::geteuid(), 0});
  run.on([&] {
    stranger.stream = run.engine->connect(listener.address, ::geteuid() + 1, stranger);
    run.engine->send(stranger.stream, "early");
  });
  REQUIRE(run.until([&] { return stranger.strangers == 1; }));
  CHECK(run.get(stranger.connects) == 0);
  CHECK(run.on([&] { return run.engine->peer(stranger.stream); }) == PeerOwner{::geteuid(), 0});
  run.on([&] { run.engine->close(stranger.stream); });
  REQUIRE(run.until([&] { return stranger.closes == 1; }));
  CHECK_FALSE(run.on([&] { return run.engine->peer(stranger.stream); }));
}

TEST_CASE("a connection whose listener is gone before it was accepted has failed") {
  Running run;
  TcpListener listener;
  listener.listen();
  Log log(run);
  run.on([&] {
    log.stream = run.engine->connect(listener.address, ::geteuid(), log);
    ::shutdown(listener.fd.get(), SHUT_RDWR);
  });
  REQUIRE(run.until([&] { return log.connects == 1; }));
  CHECK(run.get(log.last_error) != 0);
}

TEST_CASE("a handler that knows no strangers gets an error") {
  struct Plain final : StreamHandler {
    int error = 0;
    void on_connected(int problem) override { error = problem; }
    void on_data(std::string_view) override {}
    void on_end() override {}
    void on_writable() override {}
    void on_failed(int) override {}
    void on_peer_closing(bool) override {}
    void on_closed() override {}
  } plain;
  static_cast<StreamHandler&>(plain).on_stranger({});
  CHECK(plain.error == EACCES);
}

TEST_CASE("a peer that has sent FIN still gets our bytes, and its reset is reported even then") {
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
    CHECK(acceptor.accepted.empty());
  });
  REQUIRE(run.until([&] { return acceptor.accepted.size() == 40; }));
  clients.push_back(listener.dial());
  run.on([] {});
  CHECK(acceptor.accepted.size() == 40);
}

TEST_CASE("a watched descriptor is reported at every change, and stays open") {
  struct Counter final : ReadyHandler {
    int fd = -1;
    bool reads = false;
    std::string seen;
    int times = 0;
    void on_ready() override {
      ++times;
      char bytes[16];
      for (ssize_t count = 0; reads && (count = ::recv(fd, bytes, sizeof bytes, 0)) > 0;)
        seen.append(bytes, static_cast<std::size_t>(count));
    }
  };
  Pair pair;
  Counter channel, bell;
  channel.fd = pair.ours.get();
  channel.reads = true;
  const UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  {
    Running run;
    CHECK(run.on([&] { return run.engine->watch(pair.ours.get(), channel); }));
    CHECK(run.on([&] { return run.engine->watch(event.get(), bell); }));
    CHECK_FALSE(run.on([&] { return run.engine->watch(-1, bell); }));
    pair.write("one");
    REQUIRE(run.until([&] { return channel.seen == "one"; }));
    pair.write("two");
    REQUIRE(run.until([&] { return channel.seen == "onetwo"; }));
    for (int i = 0; i < 3; ++i) {  // the peer does not read
      const int before = run.get(bell.times);
      const std::uint64_t one = 1;
      REQUIRE(::write(event.get(), &one, sizeof one) == sizeof one);
      REQUIRE(run.until([&] { return bell.times > before; }));
    }
    CHECK(run.on([&] { return run.engine->open_streams(); }) == 0);
  }
  pair.write("three");
  char bytes[16];
  CHECK(::recv(pair.ours.get(), bytes, sizeof bytes, 0) == 5);
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

TEST_CASE("tasks posted before the loop runs are done when it runs") {
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
