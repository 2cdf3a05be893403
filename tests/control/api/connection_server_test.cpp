// Threads, limits and the end, with a function that serves each connection as the test needs it.
#include "control/api/connection_server.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>
#include <vector>

#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

namespace {

/// A request is one byte; "s" is one that a thread must read to its end.
Arrival one_byte(std::string_view received) { return received.starts_with('s') ? Arrival::slow : Arrival::whole; }

/// Sends the request back.
void echo(int connection, const std::string& received, const CutOff&) { send_text(connection, received); }

/// Waits until the peer sends another byte or closes; then sends that back.
void echo_second(int connection, const std::string& received, const CutOff& cut_off) {
  if (received.size() > 1) return send_text(connection, received.substr(1));
  char byte = 0;
  if (cut_off.wait(TimePoint::max(), {connection, POLLIN, 0}) && ::recv(connection, &byte, 1, 0) == 1)
    send_text(connection, {&byte, 1});
}

/// Connections that send nothing have a long time, unless a test is about it.
constexpr Arrivals::Limits kLong{.first_byte = Duration{600'000}};

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

struct ConnectionServerServed {
  TempDir dir;
  UniqueFd listener = open_admin_socket(dir / "s");

  UniqueFd connect() const { return connect_to(dir / "s"); }
  UniqueFd connect(std::string_view text) const {
    UniqueFd connected = connect();
    send_text(connected.get(), text);
    return connected;
  }
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
    ConnectionServer server(listener.get(), {.threads = 2}, one_byte, echo);
    CHECK(say("a") == "a");
    CHECK(say("b") == "b");
    CHECK_FALSE(server.ended());
  }
  CHECK(::fcntl(listener.get(), F_GETFD) >= 0);
  const UniqueFd waits = connect("c");
  ConnectionServer next(listener.get(), {.threads = 1}, one_byte, echo);
  CHECK(read_to_end(waits.get()) == "c");
}

TEST_CASE_FIXTURE(ConnectionServerServed, "with all threads busy, a new connection waits until one is free") {
  ConnectionServer server(listener.get(), {.threads = 2}, one_byte, echo_second);
  const UniqueFd first = connect("1"), second = connect("2"), third = connect("3");
  char byte = 0;
  CHECK(::recv(third.get(), &byte, 1, MSG_DONTWAIT) < 0);
  send_text(first.get(), "a");
  CHECK(read_to_end(first.get()) == "a");
  send_text(second.get(), "b");
  CHECK(read_to_end(second.get()) == "b");
  send_text(third.get(), "c");
  CHECK(read_to_end(third.get()) == "c");
}

TEST_CASE_FIXTURE(ConnectionServerServed, "connections that send nothing occupy no thread") {
  ConnectionServer server(listener.get(), {.threads = 1, .arrivals = kLong}, one_byte, echo);
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(connect());
  CHECK(say("x") == "x");
  send_text(silent.front().get(), "y");
  CHECK(read_to_end(silent.front().get()) == "y");
}

TEST_CASE_FIXTURE(ConnectionServerServed, "most threads are for requests that arrived completely") {
  ConnectionServer server(listener.get(), {.threads = 4}, one_byte,
                          [](int fd, const std::string& in, const CutOff& cut) {
                            in.starts_with('s') ? echo_second(fd, in, cut) : echo(fd, in, cut);
                          });
  std::vector<UniqueFd> slow;
  for (int i = 0; i < 100; ++i) slow.push_back(connect("s"));
  CHECK(say("x") == "x");
  for (const auto& client : slow) send_text(client.get(), "y");
  for (const auto& client : slow) CHECK(read_to_end(client.get()) == "y");
}

TEST_CASE_FIXTURE(ConnectionServerServed, "beyond the bound the connection that has been silent longest is closed") {
  ConnectionServer server(listener.get(), {.threads = 2, .waiting = 8, .arrivals = kLong}, one_byte, echo);
  const auto before = open_descriptors();
  std::vector<UniqueFd> silent;
  for (std::size_t i = 0; i < 30; ++i) silent.push_back(connect());
  CHECK(say("x") == "x");
  CHECK(open_descriptors() <= before + silent.size() + 8 + 2);
  CHECK(read_to_end(silent.front().get()).empty());
  send_text(silent.back().get(), "y");
  CHECK(read_to_end(silent.back().get()) == "y");
}

TEST_CASE_FIXTURE(ConnectionServerServed, "no young connection is closed for another one") {
  ConnectionServer server(listener.get(), {.threads = 1, .waiting = 2, .arrivals = kLong}, one_byte, echo);
  const TimePoint begin = Clock::now();
  const UniqueFd first = connect(), second = connect(), third = connect("3");
  CHECK(read_to_end(third.get()) == "3");
  CHECK(Clock::now() - begin >= Arrivals::kYouth);
  CHECK(read_to_end(first.get()).empty());
}

TEST_CASE_FIXTURE(ConnectionServerServed, "two hundred callers at once, beside silent ones, are all served") {
  ConnectionServer server(listener.get(), {.threads = 2, .waiting = 16, .arrivals = kLong}, one_byte, echo);
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 32; ++i) silent.push_back(connect());
  std::atomic<int> answered{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 200; ++i) callers.emplace_back([&] { answered += say("x") == "x"; });
  for (auto& caller : callers) caller.join();
  CHECK(answered == 200);
}

TEST_CASE_FIXTURE(ConnectionServerServed, "the oldest connection is cut for a new one, if the limits say so") {
  ConnectionServer server(listener.get(), {.threads = 2, .oldest_makes_room = Duration{1}}, one_byte,
                          [](int fd, const std::string& in, const CutOff& cut) {
                            in.starts_with('h') ? echo_second(fd, in, cut) : echo(fd, in, cut);
                          });
  std::vector<UniqueFd> holding;
  for (int i = 0; i < 6; ++i) holding.push_back(connect("h"));
  CHECK(say("x") == "x");
  for (std::size_t i = 0; i < 5; ++i) CHECK(read_to_end(holding[i].get()).empty());
}

TEST_CASE_FIXTURE(ConnectionServerServed,
                  "after the end no connection is accepted, and those in progress continue until the cut-off") {
  std::promise<void> in;
  const auto hold = [&](int connection, const std::string& received, const CutOff& cut_off) {
    in.set_value();
    echo_second(connection, received, cut_off);
  };
  ConnectionServer server(listener.get(), {.threads = 3}, one_byte, hold);
  const UniqueFd inside = connect("1");
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
    const auto hold = [&](int connection, const std::string& received, const CutOff& cut_off) {
      in.set_value();
      echo_second(connection, received, cut_off);
      seen.set_value(cut_off.get());
    };
    ConnectionServer server(listener.get(), {.threads = 1}, one_byte, hold);
    const UniqueFd inside = connect("1");
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
      listener.get(), {.threads = 3}, one_byte,
      [&](int connection, const std::string& received, const CutOff& cut_off) {
        in.set_value();
        echo_second(connection, received, cut_off);
      },
      [&] {
        CHECK(server.ended());
        if (++ends == 1) ended.set_value();
      });
  const UniqueFd inside = connect("1");
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
  const auto hold = [&](int connection, const std::string&, const CutOff&) {
    in.set_value();
    char byte = 0;
    CHECK(::recv(connection, &byte, 1, 0) == 0);  // without regard to the cut-off
  };
  ConnectionServer server(listener.get(), {.threads = 1}, one_byte, hold);
  const UniqueFd inside = connect("1");
  in.get_future().wait();
  server.end();
  server.cut();
  CHECK(read_to_end(inside.get()).empty());
  wait_for_end(server);
}

TEST_CASE_FIXTURE(ConnectionServerServed, "a connection that was accepted before the end may still send its request") {
  ConnectionServer server(listener.get(), {.threads = 1, .arrivals = kLong}, one_byte, echo);
  const UniqueFd early = connect(), silent = connect();
  CHECK(say("x") == "x");  // so the two before it were accepted
  server.end();
  send_text(early.get(), "e");
  CHECK(read_to_end(early.get()) == "e");
  CHECK(read_to_end(silent.get()).empty());
  wait_for_end(server);
}
