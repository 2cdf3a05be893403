// How streams connect, and what is known of their bytes.
#include <netinet/tcp.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "router/engine/epoll_engine.hpp"
#include "tests/router/engine/running.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::engine;

namespace {

/// A unix listener whose backlog holds one connection.
struct FullListener {
  test::Folder folder;
  Address address = folder.socket("s");
  UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

  FullListener() {
    sockaddr_storage storage{};
    const socklen_t length = address.to(storage);
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
    REQUIRE(::listen(fd.get(), 0) == 0);
  }
  UniqueFd accept() const { return UniqueFd(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
};

}  // namespace

TEST_CASE("a unix listener with a full backlog is waited for, as one of TCP is") {
  FullListener listener;
  Running run;
  std::vector<std::unique_ptr<Log>> logs;
  for (int i = 0; i < 4; ++i) {
    Log& log = *logs.emplace_back(std::make_unique<Log>(run));
    run.on([&] { log.stream = run.engine->connect(listener.address, ::geteuid(), log); });
  }
  const auto connected = [&] {
    return std::ranges::count_if(logs, [](const auto& log) { return log->connects == 1; });
  };
  for (int i = 1; i <= 4; ++i) {
    REQUIRE(run.until([&] { return connected() >= i; }));
    const Log& log = *logs[static_cast<std::size_t>(i - 1)];  // in their order
    CHECK(run.get(log.last_error) == 0);
    const UniqueFd peer = listener.accept();
    REQUIRE(::write(peer.get(), "hello", 5) == 5);
    REQUIRE(run.until([&] { return log.data == "hello"; }));
  }
}

TEST_CASE("a connect that waits for a full backlog may be given up, and fails with its listener") {
  FullListener listener;
  Running run;
  Log first(run), given_up(run), late(run);
  run.on([&] { first.stream = run.engine->connect(listener.address, ::geteuid(), first); });
  REQUIRE(run.until([&] { return first.connects == 1; }));
  run.on([&] {
    given_up.stream = run.engine->connect(listener.address, ::geteuid(), given_up);
    late.stream = run.engine->connect(listener.address, ::geteuid(), late);
  });
  run.on([&] { run.engine->close(given_up.stream); });
  REQUIRE(run.until([&] { return given_up.closes == 1; }));
  CHECK(run.get(late.connects) == 0);
  listener.fd.reset();
  REQUIRE(run.until([&] { return late.connects == 1; }));
  CHECK(run.get(late.last_error) == ECONNREFUSED);
  CHECK(run.get(given_up.connects) == 0);
}

// With TCP_DEFER_ACCEPT a connection that has sent nothing is not in the backlog yet: as one that was dropped there.
TEST_CASE("a TCP connection that a full backlog has dropped is not connected until there is room") {
  const TcpListener listener;
  const int seconds = 10;
  REQUIRE(setsockopt(listener.fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds) == 0);
  REQUIRE(::listen(listener.fd.get(), 0) == 0);  // for one connection
  const auto accept = [&] { return UniqueFd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)); };
  Running run;
  Log log(run);
  UniqueFd first;
  run.on([&] {
    log.stream = run.engine->connect(listener.address, ::geteuid(), log);
    first = listener.dial();
    REQUIRE(::send(first.get(), "x", 1, 0) == 1);
  });
  ::poll(nullptr, 0, 50);
  CHECK(run.get(log.connects) == 0);
  CHECK(accept());
  REQUIRE(run.until([&] { return log.connects == 1; }));
  CHECK(run.get(log.last_error) == 0);
  run.on([&] { run.engine->send(log.stream, "hello"); });
  UniqueFd second;
  REQUIRE(run.until([&] { return static_cast<bool>(second = accept()); }));
  char bytes[8];
  CHECK(::recv(second.get(), bytes, sizeof bytes, 0) == 5);
  CHECK(run.on([&] { return run.engine->acknowledged(log.stream); }));
}

TEST_CASE("bytes that the other kernel has acknowledged may have been read, and only TCP tells") {
  const TcpListener listener;
  listener.listen();
  Running run;
  Log log(run);
  run.on([&] { log.stream = run.engine->connect(listener.address, ::geteuid(), log); });
  REQUIRE(run.until([&] { return log.connects == 1; }));
  CHECK_FALSE(run.on([&] { return run.engine->acknowledged(log.stream); }));
  run.on([&] { run.engine->send(log.stream, "x"); });
  REQUIRE(run.until([&] { return run.engine->acknowledged(log.stream); }));
  Pair pair;
  Log other(run);
  run.on([&] { other.stream = run.engine->adopt(pair.ours.release(), other); });
  CHECK(run.on([&] { return run.engine->acknowledged(other.stream); }));
}
