#include "supervisor/process/watch.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/executor_work_guard.hpp>
#include <optional>

#include "config/base/time.hpp"
#include "supervisor/process/spawn.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  UniqueFd reader, writer;
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  void say(char byte) const { REQUIRE(::write(writer.get(), &byte, 1) == 1); }
};

struct Loop {
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> stay{io.get_executor()};

  bool until(const std::function<bool()>& condition) {
    const TimePoint end = Clock::now() + 5s;
    while (!condition() && Clock::now() < end) io.run_one_for(10ms);
    return condition();
  }
};

/// One byte; 0 at the end of the stream, -1 if no data is available.
ssize_t read_one(int fd) {
  char byte;
  return ::read(fd, &byte, 1);
}

}  // namespace

TEST_CASE_FIXTURE(Loop, "a watch calls back while unread data is left, and not without data") {
  Pipe pipe;
  int calls = 0;
  Watch watch;
  watch = Watch(io, std::move(pipe.reader), [&] {
    ++calls;
    CHECK(read_one(watch.fd()) == 1);
  });
  io.poll();
  CHECK(calls == 0);
  pipe.say('a');
  pipe.say('b');
  CHECK(until([&] { return calls == 2; }));
  io.poll();
  CHECK(calls == 2);
  pipe.say('c');
  CHECK(until([&] { return calls == 3; }));
}

TEST_CASE_FIXTURE(Loop, "the end of a stream is readable, and a watch that its callback closed does not call again") {
  Pipe pipe;
  int ends = 0;
  Watch watch;
  watch = Watch(io, std::move(pipe.reader), [&] {
    CHECK(read_one(watch.fd()) == 0);
    ++ends;
    watch.close();
  });
  pipe.writer.reset();
  CHECK(until([&] { return ends == 1; }));
  io.poll();
  CHECK(ends == 1);
  CHECK_FALSE(watch);
  CHECK(watch.fd() == -1);
}

TEST_CASE_FIXTURE(Loop, "the exit of a process is reported through its pidfd, and not before") {
  const Pipe pipe;
  REQUIRE(::fcntl(pipe.reader.get(), F_SETFL, 0) == 0);
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const std::vector<int> fds = {pipe.reader.get(), null.get(), null.get()};
  const SpawnPlan plan{{"/bin/sh"}, {"sh", "-c", "read line"}, {}, "/", fds, -1};
  int error = 0;
  auto process = spawn(plan, error);
  REQUIRE(process);
  bool called = false;
  Watch watch;
  watch = Watch(io, std::move(process->pidfd), [&] {
    called = true;
    watch.close();
  });
  io.poll();
  CHECK_FALSE(called);
  pipe.say('\n');
  CHECK(until([&] { return called; }));
  int status = -1;
  CHECK(::waitpid(process->pid, &status, 0) == process->pid);
  CHECK(status == 0);
}

TEST_CASE_FIXTURE(Loop, "there is no callback after close(), even if it was already queued") {
  Pipe pipes[2];
  Watch watches[2];
  int calls = 0;
  for (const int i : {0, 1}) {
    watches[i] = Watch(io, std::move(pipes[i].reader), [&, i] {
      ++calls;
      watches[i].close();
      watches[1 - i].close();
    });
    pipes[i].say('x');
  }
  io.poll();
  CHECK(calls == 1);
}

TEST_CASE_FIXTURE(Loop, "a callback may destroy its watch, and the descriptor is closed with it") {
  Pipe pipe;
  const int fd = pipe.reader.get();
  std::optional<Watch> watch;
  watch.emplace(io, std::move(pipe.reader), [&] { watch.reset(); });
  pipe.say('x');
  CHECK(until([&] { return !watch; }));
  CHECK(::fcntl(fd, F_GETFD) == -1);
}

TEST_CASE_FIXTURE(Loop, "an assigned watch closes its old descriptor and watches the new one") {
  Pipe first, second;
  const int old = first.reader.get();
  int calls = 0;
  Watch watch(io, std::move(first.reader), [] { FAIL("of a watch that is gone"); });
  watch = Watch(io, std::move(second.reader), [&] {
    ++calls;
    CHECK(read_one(watch.fd()) == 1);
  });
  CHECK(::fcntl(old, F_GETFD) == -1);
  second.say('x');
  CHECK(until([&] { return calls == 1; }));
}
