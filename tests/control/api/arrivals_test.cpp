#include "control/api/arrivals.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <vector>

#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

namespace {

/// "." ends a request, "~" one that a thread must read; ":" is the end of its head.
Arrival judge_dots(std::string_view received) {
  if (received.find('.') != std::string_view::npos) return Arrival::whole;
  if (received.find('~') != std::string_view::npos) return Arrival::slow;
  return received.find(':') != std::string_view::npos ? Arrival::head : Arrival::part;
}

struct ArrivalsFixture {
  asio::io_context io;
  std::vector<Arrivals::Request> arrived;
  int left = 0;

  Arrivals arrivals(Arrivals::Limits limits = {}) {
    return {io, limits, judge_dots, [this](Arrivals::Request one) { arrived.push_back(std::move(one)); },
            [this] { ++left; }};
  }
  /// The client's end.
  static UniqueFd connect(Arrivals& to, std::string_view text = {}) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    UniqueFd client(ends[0]);
    send_text(client.get(), text);
    to.add(UniqueFd(ends[1]));
    return client;
  }
};

}  // namespace

TEST_CASE_FIXTURE(ArrivalsFixture, "a request is handed over with all its bytes, at once or as they come") {
  Arrivals waiting = arrivals();
  const UniqueFd quick = connect(waiting, "ab.");
  REQUIRE(arrived.size() == 1);
  CHECK(arrived[0].received == "ab.");
  CHECK(arrived[0].whole);
  const UniqueFd pieces = connect(waiting, "a");
  CHECK(waiting.count() == 1);
  io.poll();
  CHECK(waiting.count() == 1);
  send_text(pieces.get(), "b.");
  while (arrived.size() < 2) io.run_one();
  CHECK(arrived[1].received == "ab.");
  CHECK(waiting.count() == 0);
  CHECK(left == 0);
}

TEST_CASE_FIXTURE(ArrivalsFixture, "what a thread must read is not whole") {
  Arrivals waiting = arrivals({.bytes = 8});
  const UniqueFd slow = connect(waiting, "~"), large = connect(waiting, std::string(20, 'x'));
  REQUIRE(arrived.size() == 2);
  CHECK_FALSE(arrived[0].whole);
  CHECK_FALSE(arrived[1].whole);
  CHECK(arrived[1].received == "xxxxxxxx");
}

TEST_CASE_FIXTURE(ArrivalsFixture, "a client that closes is closed, or answered if it has sent something") {
  Arrivals waiting = arrivals();
  UniqueFd silent = connect(waiting), half = connect(waiting, "a");
  silent.reset();
  ::shutdown(half.get(), SHUT_WR);
  while (waiting.count() > 0) io.run_one();
  CHECK(left == 1);
  REQUIRE(arrived.size() == 1);
  CHECK(arrived[0].received == "a");
  CHECK(arrived[0].whole);
}

TEST_CASE_FIXTURE(ArrivalsFixture, "the first byte has a limit, and the rest has one from then on") {
  Arrivals waiting = arrivals({.first_byte = Duration{20}, .request = Duration{40}});
  const UniqueFd silent = connect(waiting), half = connect(waiting, "a"), head = connect(waiting, "a:");
  while (waiting.count() > 0) io.run_one();
  CHECK(left == 2);
  CHECK(read_to_end(silent.get()).empty());
  CHECK(read_to_end(half.get()).empty());
  REQUIRE(arrived.size() == 1);
  CHECK(arrived[0].received == "a:");
  CHECK_FALSE(arrived[0].whole);
}

TEST_CASE_FIXTURE(ArrivalsFixture, "the oldest is closed for another one, but never a young one") {
  Arrivals waiting = arrivals();
  CHECK_FALSE(waiting.close_oldest());
  const TimePoint begin = Clock::now();
  const UniqueFd first = connect(waiting), second = connect(waiting);
  while (!waiting.close_oldest()) {
  }
  CHECK(Clock::now() - begin >= Arrivals::kYouth);
  CHECK(left == 1);
  CHECK(read_to_end(first.get()).empty());
  waiting.close_all();
  CHECK(read_to_end(second.get()).empty());
  io.run();
  CHECK(arrived.empty());
}
