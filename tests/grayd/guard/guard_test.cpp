#include "grayd/guard/guard.hpp"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <chrono>

#include "config/base/archive.hpp"
#include "tests/grayd/guard/guard_process.hpp"
#include "tests/grayd/guard/sleeper.hpp"

using namespace gray;
using namespace gray::master;

namespace {

[[maybe_unused]] const bool is_a_test = test::become_guard_if_asked();

template <class Done>
bool run_until(asio::io_context& io, Done done) {
  const TimePoint limit = Clock::now() + Duration{20'000};
  while (!done() && Clock::now() < limit) {
    io.restart();
    io.run_one_for(Duration{100});
  }
  return done();
}

}  // namespace

TEST_CASE("a guard that dies is replaced, and the next one has the whole list") {
  asio::io_context io;
  test::Sleeper worker, gone;
  Guard guard(io);
  guard.start("");
  const pid_t first = guard.pid();
  REQUIRE(first > 0);
  guard.add(worker.pid());
  guard.add(gone.pid());
  guard.remove(gone.pid());
  ::kill(first, SIGKILL);
  REQUIRE(run_until(io, [&] { return guard.pid() != first && guard.pid() != 0; }));

  // As if the master were killed: nothing else has the write end of the pipe.
  Save save;
  guard.archive(save);
  const auto state = save.take();
  const pid_t second = guard.pid();
  CHECK(worker.runs());
  ::dup2(STDIN_FILENO, state["pipe"].get<int>());
  int status = -1;
  REQUIRE(test::ended_in_time(second, status));
  CHECK(status == 0);
  CHECK(worker.was_killed());
  CHECK(gone.runs());
}

TEST_CASE("a guard ends with its object, and kills nothing then") {
  asio::io_context io;
  test::Sleeper worker;
  pid_t pid = 0;
  {
    Guard guard(io);
    guard.start("");
    guard.add(worker.pid());
    pid = guard.pid();
  }
  CHECK(::kill(pid, 0) != 0);
  CHECK(worker.runs());
}

TEST_CASE("a guard that does not read is replaced when its pipe is full") {
  asio::io_context io;
  Guard guard(io);
  guard.start("");
  const pid_t first = guard.pid();
  ::kill(first, SIGSTOP);
  for (pid_t group = 1'000'000; group < 1'020'000; ++group) guard.remove(group);
  CHECK(run_until(io, [&] { return guard.pid() != first && guard.pid() != 0; }));
}

TEST_CASE("the guard lives on when it is handed over") {
  test::Sleeper worker;
  asio::io_context old_io, io;
  Guard before(old_io);
  before.start("");
  const pid_t pid = before.pid();
  before.add(worker.pid());
  Save save;
  before.archive(save);
  const auto state = save.take();
  Guard after(io);
  Load load(state, save.fds());
  after.archive(load);
  CHECK(load.left().empty());
  CHECK(after.pid() == pid);
  ::kill(pid, SIGKILL);
  CHECK(run_until(io, [&] { return after.pid() != pid && after.pid() != 0; }));
}
