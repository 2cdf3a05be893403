#include "grayd/handoff/subprocess.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include <optional>

using namespace gray;
using namespace gray::master;

namespace {

struct SubprocessFixture {
  asio::io_context io;
  UniqueFd shell{::open("/bin/sh", O_PATH | O_CLOEXEC)};
  std::optional<Subprocess> process;
  std::optional<BriefEnd> end;

  BriefEnd run(const std::string& script, Duration limit = Duration{20'000}) {
    process.emplace(io, shell.get(), std::vector<std::string>{"sh", "-c", script}, limit,
                    [this](BriefEnd one) { end = std::move(one); });
    const auto deadline = Clock::now() + Duration{30'000};
    while (!end && Clock::now() < deadline) io.run_one_for(Duration{50});
    REQUIRE(end);
    return *end;
  }
};

}  // namespace

TEST_CASE_FIXTURE(SubprocessFixture, "both outputs and the exit status are collected") {
  const auto good = run("echo one; echo two >&2");
  CHECK(good.good());
  CHECK(good.said == "one\ntwo\n");
  CHECK(good.text() == "exit 0: one");
}

TEST_CASE_FIXTURE(SubprocessFixture, "the text of a failure is one line") {
  CHECK(run("echo; echo why; echo more; exit 3").text() == "exit 3: why");
}

TEST_CASE_FIXTURE(SubprocessFixture, "a signal is reported") {
  const auto killed = run("kill -9 $$");
  CHECK_FALSE(killed.good());
  CHECK(killed.text() == "signal 9");
}

TEST_CASE_FIXTURE(SubprocessFixture, "at the limit the program and everything that it started are killed") {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // as the supervisor does
  const auto late = run("sleep 1000 & echo $!; sleep 1000", Duration{1'000});
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  CHECK(late.overdue);
  CHECK_FALSE(late.good());
  const pid_t started = std::stoi(late.said);
  CHECK(::kill(started, 0) != 0);
}

TEST_CASE_FIXTURE(SubprocessFixture, "the program has only its outputs and its own file open") {
  const UniqueFd mine(::open("/dev/null", O_RDONLY));  // inheritable
  CHECK(run("ls /proc/$$/fd | tr '\\n' ' '").said.find("0 1 2 3") == 0);
}

TEST_CASE_FIXTURE(SubprocessFixture, "of too much output the beginning is kept") {
  CHECK(run("yes | head -c 1000000").said.size() == Subprocess::kMostSaid);
}

TEST_CASE_FIXTURE(SubprocessFixture, "a program that never stops writing is killed at the limit, too") {
  const auto late = run("exec yes", Duration{300});
  CHECK(late.overdue);
  CHECK(late.said.size() == Subprocess::kMostSaid);
}

TEST_CASE_FIXTURE(SubprocessFixture, "a file that cannot be executed is reported") {
  shell.reset(::open("/etc/passwd", O_PATH | O_CLOEXEC));
  CHECK(run("").text() == "exit 127: it cannot be executed: Permission denied");
}

TEST_CASE_FIXTURE(SubprocessFixture, "the destructor kills the program") {
  process.emplace(io, shell.get(), std::vector<std::string>{"sh", "-c", "sleep 1000"}, Duration{20'000},
                  [this](BriefEnd one) { end = std::move(one); });
  process.reset();
  io.run_for(Duration{50});
  CHECK_FALSE(end);
}
