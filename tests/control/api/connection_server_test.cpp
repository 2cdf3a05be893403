// Threads, limits and the end, with a function that serves each connection as the test needs it.
#include "control/api/connection_server.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <atomic>
#include <future>
#include <vector>

#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

namespace {

/// Waits until the peer sends something or closes; then sends it back.
void echo(int connection, const CutOff& cut_off) {
  char byte = 0;
  if (cut_off.wait(TimePoint::max(), {connection, POLLIN, 0}) && ::recv(connection, &byte, 1, 0) == 1)
    send_text(connection, {&byte, 1});
}

struct ConnectionServerServed {
  TempDir dir;
  UniqueFd listener = open_admin_socket(dir / "s");

  UniqueFd connect() const { return connect_to(dir / "s"); }
  std::string say(std::string_view text) const { return talk(dir / "s", text); }
};

void wait_for_end(const ConnectionServer& server) {
  const TimePoint deadline = Clock::now() + Duration(10'000);
  while (!server.ended() && Clock::now() < deadline) std::this_thread::yield();
  CHECK(server.ended());
}

}  // namespace

TEST_CASE_FIXTURE(ConnectionServerServed, "a connection is served and closed, the listener is not") {
  {
    ConnectionServer server(listener.get(), {.threads = 2}, echo);
    CHECK(say("a") == "a");
    CHECK(say("b") == "b");
    CHECK_FALSE(server.ended());
  }
  CHECK(::fcntl(listener.get(), F_GETFD) >= 0);
  const UniqueFd waits = connect();
  send_text(waits.get(), "c");
  ConnectionServer next(listener.get(), {.threads = 1}, echo);
  CHECK(read_to_end(waits.get()) == "c");
}

TEST_CASE_FIXTURE(ConnectionServerServed, "with all threads busy, a new connection waits until one is free") {
  ConnectionServer server(listener.get(), {.threads = 2}, echo);
  const UniqueFd first = connect(), second = connect(), third = connect();
  send_text(third.get(), "3");
  char byte = 0;
  CHECK(::recv(third.get(), &byte, 1, MSG_DONTWAIT) < 0);
  send_text(first.get(), "1");
  CHECK(read_to_end(first.get()) == "1");
  CHECK(read_to_end(third.get()) == "3");
  send_text(second.get(), "2");
  CHECK(read_to_end(second.get()) == "2");
}

TEST_CASE_FIXTURE(ConnectionServerServed, "the oldest connection is cut for a new one, if the limits say so") {
  ConnectionServer server(listener.get(), {.threads = 2, .oldest_makes_room = true}, echo);
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 6; ++i) silent.push_back(connect());
  CHECK(say("x") == "x");
  for (const auto& client : silent) CHECK(read_to_end(client.get()).empty());
}

TEST_CASE_FIXTURE(ConnectionServerServed,
                  "after the end no connection is accepted, and those in progress continue until the cut-off") {
  std::promise<void> in;
  ConnectionServer server(listener.get(), {.threads = 3}, [&](int connection, const CutOff& cut_off) {
    in.set_value();
    echo(connection, cut_off);
  });
  const UniqueFd inside = connect();
  in.get_future().wait();
  server.end();
  server.end();
  CHECK_FALSE(server.ended());
  const UniqueFd late = connect();
  send_text(inside.get(), "i");
  CHECK(read_to_end(inside.get()) == "i");
  wait_for_end(server);
  char byte = 0;
  CHECK(::recv(late.get(), &byte, 1, MSG_DONTWAIT) < 0);
}

TEST_CASE_FIXTURE(ConnectionServerServed, "the cut-off is kGracePeriod after the end began") {
  std::promise<TimePoint> seen;
  TimePoint begin;
  {
    std::promise<void> in;
    ConnectionServer server(listener.get(), {.threads = 1}, [&](int connection, const CutOff& cut_off) {
      in.set_value();
      echo(connection, cut_off);
      seen.set_value(cut_off.get());
    });
    const UniqueFd inside = connect();
    in.get_future().wait();
    begin = Clock::now();
    server.end();
    CHECK(read_to_end(inside.get()).empty());
  }
  const TimePoint cut = seen.get_future().get();
  CHECK(cut >= begin + ConnectionServer::kGracePeriod);
  CHECK(cut <= Clock::now());
}

TEST_CASE_FIXTURE(ConnectionServerServed, "the end is reported once, by the last thread, with connections or without") {
  std::atomic<int> ends{0};
  std::promise<void> in, ended;
  ConnectionServer server(
      listener.get(), {.threads = 3},
      [&](int connection, const CutOff& cut_off) {
        in.set_value();
        echo(connection, cut_off);
      },
      [&] {
        CHECK(server.ended());
        if (++ends == 1) ended.set_value();
      });
  const UniqueFd inside = connect();
  in.get_future().wait();
  server.end();
  CHECK(ends == 0);
  send_text(inside.get(), "i");
  CHECK(read_to_end(inside.get()) == "i");
  CHECK(ended.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  CHECK(ends == 1);
}

TEST_CASE_FIXTURE(ConnectionServerServed, "a cut ends each connection at once") {
  std::promise<void> in;
  ConnectionServer server(listener.get(), {.threads = 1}, [&](int connection, const CutOff&) {
    in.set_value();
    char byte = 0;
    CHECK(::recv(connection, &byte, 1, 0) == 0);  // without regard to the cut-off
  });
  const UniqueFd inside = connect();
  in.get_future().wait();
  server.end();
  server.cut();
  CHECK(read_to_end(inside.get()).empty());
  wait_for_end(server);
}
