// How streams end: what the peer sees, and that the handler gets one event, afterwards.
#include <atomic>
#include <vector>

#include "router/engine/epoll_engine.hpp"
#include "tests/router/engine/running.hpp"

using namespace gray;
using namespace gray::engine;

namespace {

/// Whether this process still has `fd`.
bool is_descriptor(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

}  // namespace

TEST_CASE("on_closed() comes once, from the loop, when the descriptor is closed") {
  Running run;
  Pair pair;
  Log log(run);
  const int fd = pair.ours.get();
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->close(log.stream);
    run.engine->close(log.stream);
    CHECK(log.closes == 0);
    CHECK(run.engine->open_streams() == 1);
  });
  REQUIRE(run.until([&] { return log.closes == 1; }));
  CHECK_FALSE(run.on([&] { return is_descriptor(fd); }));
  CHECK(pair.read(1).empty());
  run.on([] {});
  CHECK(run.get(log.closes) == 1);
  CHECK(run.on([&] { return run.engine->open_streams(); }) == 0);
}

TEST_CASE("close_after_send() reports when the tail is sent and closed, and close() in between cuts it short") {
  Running run;
  Pair pair, cut;
  Log log(run), other(run);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->close_after_send(log.stream, Duration(3'600'000), Duration(3'600'000));
    other.stream = run.engine->adopt(cut.ours.release(), other);
    run.engine->close_after_send(other.stream, Duration(3'600'000), Duration(3'600'000));
  });
  run.on([] {});
  CHECK(run.get(log.closes) + run.get(other.closes) == 0);
  pair.peer.reset();
  REQUIRE(run.until([&] { return log.closes == 1; }));
  CHECK(run.get(other.closes) == 0);
  run.on([&] { run.engine->close(other.stream); });
  REQUIRE(run.until([&] { return other.closes == 1; }));
}

TEST_CASE("a lingering close of a stream whose peer has sent FIN already does not wait") {
  Running run;
  Pair pair;
  Log log(run);
  run.on([&] { log.stream = run.engine->adopt(pair.ours.release(), log); });
  REQUIRE(::shutdown(pair.peer.get(), SHUT_WR) == 0);
  REQUIRE(run.until([&] { return log.ends == 1; }));
  run.on([&] {
    run.engine->send(log.stream, "bye");
    run.engine->close_after_send(log.stream, Duration(3'600'000), Duration(3'600'000));
  });
  REQUIRE(run.until([&] { return log.closes == 1; }));
  CHECK(pair.read(100) == "bye");
}

TEST_CASE("a lingering close notices the peer's FIN while the tail is still being sent") {
  Running run;
  Pair pair;
  const int small = 4096;
  REQUIRE(setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  Log log(run);
  const std::string tail(60'000, 'x');
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->send(log.stream, tail);
    REQUIRE(run.engine->unsent(log.stream) > 0);
    run.engine->close_after_send(log.stream, Duration(3'600'000), Duration(3'600'000));
  });
  REQUIRE(::shutdown(pair.peer.get(), SHUT_WR) == 0);
  run.on([] {});
  CHECK(pair.read(tail.size()) == tail);
  REQUIRE(run.until([&] { return log.closes == 1; }));
}

TEST_CASE("a handler may die in on_closed(), and close others from there") {
  struct Last final : StreamHandler {
    Engine& engine;
    StreamId other;
    bool& died;
    Last(Engine& owner, bool& flag) : engine(owner), died(flag) {}
    void on_connected(int) override {}
    void on_data(std::string_view) override {}
    void on_end() override {}
    void on_writable() override {}
    void on_failed(int) override {}
    void on_peer_closing(bool) override {}
    void on_closed() override {
      engine.close(other);
      died = true;
      delete this;
    }
  };
  Running run;
  Pair pair, second;
  Log log(run);
  bool died = false;
  run.on([&] {
    auto* last = new Last(*run.engine, died);
    log.stream = last->other = run.engine->adopt(second.ours.release(), log);
    run.engine->close(run.engine->adopt(pair.ours.release(), *last));
  });
  REQUIRE(run.until([&] { return died && log.closes == 1; }));
}

TEST_CASE("the destructor of an engine calls no handler, and closes all descriptors") {
  Pair open, closing, leaving;
  struct Deaf final : StreamHandler {
    int told = 0;
    void on_connected(int) override {}
    void on_data(std::string_view) override {}
    void on_end() override {}
    void on_writable() override {}
    void on_failed(int) override {}
    void on_peer_closing(bool) override {}
    void on_closed() override { ++told; }
    void on_released(int) override { ++told; }
  } deaf;
  {
    BufferPool buffers(1 << 20);
    const auto engine = make_engine(buffers);
    engine->adopt(open.ours.release(), deaf);
    engine->close(engine->adopt(closing.ours.release(), deaf));
    engine->release(engine->adopt(leaving.ours.release(), deaf));
  }
  CHECK(deaf.told == 0);
  for (const Pair* pair : {&open, &closing, &leaving}) CHECK(pair->read(1).empty());
}

TEST_CASE("after close() in its own callback a handler gets only on_closed()") {
  Running run;
  Pair pair;
  Log log(run);
  log.then = [&] { run.engine->close(log.stream); };
  log.read_at_once = 1;
  run.on([&] { log.stream = run.engine->adopt(pair.ours.release(), log); });
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
  CHECK(pair.read(70'000).size() == 60'000);  // and the end, or this would wait for ever
  pair.write("still here");
  REQUIRE(run.until([&] { return log.data == "still here"; }));
  CHECK(run.get(log.ends) == 0);
  REQUIRE(::shutdown(pair.peer.get(), SHUT_WR) == 0);
  REQUIRE(run.until([&] { return log.ends == 1; }));
  CHECK(run.get(log.failures) == 0);
  CHECK(run.on([&] { return run.engine->open_streams(); }) == 1);
}

TEST_CASE("finish() without a tail sends FIN at once") {
  Running run;
  Pair pair;
  Log log(run);
  run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->finish(log.stream);
  });
  CHECK(pair.read(1).empty());
}

TEST_CASE("on_finished() comes once, when the tail at finish() is sent, and never from within the call") {
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

TEST_CASE("when_empty() runs its task once, on the loop: after the last stream, or at the end of the turn") {
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

TEST_CASE("the time of a lingering close begins when the tail is sent") {
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

TEST_CASE("a released socket works in another engine") {
  Running run, other;
  Pair pair;
  Log log(run), second(other);
  second.echo = true;
  const int at_once = run.on([&] {
    log.stream = run.engine->adopt(pair.ours.release(), log);
    run.engine->release(log.stream);
    run.engine->close(log.stream);  // its id is invalid
    return log.released;
  });
  CHECK(at_once < 0);
  REQUIRE(run.until([&] { return log.released >= 0; }));
  CHECK(run.get(log.closes) == 0);
  CHECK(run.on([&] { return run.engine->open_streams(); }) == 0);
  other.on([&] { second.stream = other.engine->adopt(log.released, second); });
  pair.write("moved");
  CHECK(pair.read(5) == "moved");
  CHECK(run.get(log.data).empty());
}
