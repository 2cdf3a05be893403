#include "supervisor/readiness.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart{1h};

bool pipe_says_ready(std::string_view bytes, bool end = false) {
  PipeReader whole, bytewise;
  bool at_once = whole.feed(bytes), stepwise = false;
  for (const char byte : bytes) stepwise |= bytewise.feed({&byte, 1});
  if (end) {
    at_once |= whole.end();
    stepwise |= bytewise.end();
  }
  CHECK(at_once == stepwise);
  return at_once;
}

struct Ipc {
  bool ready = false;
  unsigned handles = 0;
  std::uint64_t garbage = 0;
};

// Byte by byte; idle only at the end, as nothing more comes.
Ipc ipc(std::string_view bytes) {
  IpcReader reader;
  Ipc result;
  for (const char byte : bytes) {
    const auto step = reader.feed({&byte, 1});
    result.ready |= step.ready;
    result.handles += step.handles;
  }
  result.ready |= reader.idle();
  result.garbage = reader.garbage();
  return result;
}

Readiness named(std::vector<ReadyWay> ways) {
  Readiness readiness;
  readiness.automatic = false;
  readiness.ways = std::move(ways);
  return readiness;
}

}  // namespace

TEST_CASE("a line READY=1 or READY on the pipe is ready") {
  CHECK(pipe_says_ready("READY=1\n"));
  CHECK(pipe_says_ready("READY\n"));
  CHECK(pipe_says_ready("STATUS=warming up\nMAINPID=1\nREADY=1\n"));
}

TEST_CASE("nothing else on the pipe is ready") {
  for (const char* text :
       {"", "\n", "READY=10\n", "XREADY=1\n", "READY=0\n", "ready\n", " READY=1\n", "READY=1", "READY=1 \n"})
    CHECK_FALSE(pipe_says_ready(text));
}

TEST_CASE("the last line of a pipe that was closed needs no newline") { CHECK(pipe_says_ready("READY=1", true)); }

TEST_CASE("a pipe is ready once") {
  PipeReader reader;
  CHECK(reader.feed("READY=1\n"));
  CHECK_FALSE(reader.feed("READY=1\n"));
}

TEST_CASE("a pipe that breaks the bounds is not listened to any more") {
  for (const std::string& text : {std::string(5000, 'x') + "\n", std::string("A\0B\n", 4)}) {
    PipeReader reader;
    reader.feed(text);
    CHECK(reader.broken());
    CHECK_FALSE(reader.feed("READY=1\n"));
  }
  PipeReader chatty;
  for (int i = 0; i < 5000; ++i) chatty.feed("STATUS=still not\n");
  CHECK(chatty.broken());
}

TEST_CASE("the JSON string ready, or the bare word, with or without a newline, is ready over IPC") {
  for (const char* text : {"\"ready\"\n", "ready\n", "ready", "\"ready\"", "{\"a\":1}\n\"ready\"\n", "\"ready\"\r\n"})
    CHECK(ipc(text).ready);
}

TEST_CASE("nothing else is ready over IPC") {
  for (const char* text :
       {"", "\n", "\"ready!\"\n", "readyx", "{\"cmd\":\"ready\"}\n", "[\"ready\"]\n", "\"Ready\"\n", "xready\n"})
    CHECK_FALSE(ipc(text).ready);
}

TEST_CASE("a handle is refused and garbage is counted") {
  const Ipc result =
      ipc("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Server\"}\nwhat?\n\n{\"cmd\":\"NODE_HANDLE\"\n\"ready\"\n");
  CHECK(result.ready);
  CHECK(result.handles == 1);
  CHECK(result.garbage == 3);
}

TEST_CASE("a message that only mentions a handle is not one") {
  CHECK(ipc("{\"text\":\"NODE_HANDLE\"}\n").handles == 0);
}

TEST_CASE("a line of ten megabytes costs one line of garbage and hides nothing after it") {
  IpcReader reader;
  const std::string chunk(1 << 20, 'x');
  for (int i = 0; i < 10; ++i) reader.feed(chunk);
  CHECK(reader.feed("\n\"ready\"\n").ready);
  CHECK(reader.garbage() == 1);
}

TEST_CASE("deep nesting in a message is survived") {
  IpcReader reader;
  CHECK_FALSE(reader.feed(std::string(500'000, '[') + "NODE_HANDLE\n").ready);
  CHECK(reader.garbage() == 1);
}

TEST_CASE("random bytes never mean ready and never crash") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes(random() % 300, '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(random() % 4 == 0 ? "\n{\"["[random() % 4] : static_cast<char>(random()));
    PipeReader pipe;
    CHECK_FALSE(pipe.feed(bytes));
    CHECK_FALSE(pipe.end());
    CHECK_FALSE(ipc(bytes).ready);
  }
}

TEST_CASE("the automatic choice offers the pipe, a connect, and IPC to what speaks it") {
  const ReadyJudge node({}, "/usr/bin/node"), shell({}, "sh"), npm({}, "npm"), bun({}, "bun");
  CHECK(node.offers(ReadyWay::ipc));
  CHECK(bun.offers(ReadyWay::ipc));
  CHECK_FALSE(shell.offers(ReadyWay::ipc));
  CHECK_FALSE(npm.offers(ReadyWay::ipc));
  CHECK(shell.offers(ReadyWay::pipe));
  CHECK(shell.offers(ReadyWay::tcp));
}

TEST_CASE("in the automatic choice a connect counts after it has stood a second, and a message before that wins") {
  ReadyJudge judge({}, "sh");
  CHECK_FALSE(judge.connected(true, kStart));
  CHECK_FALSE(judge.connected(true, kStart + 900ms));
  CHECK(judge.connected(true, kStart + 1s) == ReadyWay::tcp);
  CHECK_FALSE(judge.said(ReadyWay::pipe));

  ReadyJudge early({}, "sh");
  CHECK_FALSE(early.connected(true, kStart));
  CHECK(early.said(ReadyWay::pipe) == ReadyWay::pipe);
  CHECK_FALSE(early.connected(true, kStart + 2s));
}

TEST_CASE("a refused connect starts the second anew") {
  ReadyJudge judge({}, "sh");
  judge.connected(true, kStart);
  judge.connected(false, kStart + 500ms);
  CHECK_FALSE(judge.connected(true, kStart + 1100ms));
}

TEST_CASE("where ways are named only those count, and a named connect counts at once") {
  ReadyJudge pipe(named({ReadyWay::pipe}), "node");
  CHECK_FALSE(pipe.connected(true, kStart));
  CHECK_FALSE(pipe.connected(true, kStart + 10s));
  CHECK_FALSE(pipe.said(ReadyWay::ipc));
  CHECK(pipe.said(ReadyWay::pipe) == ReadyWay::pipe);
  ReadyJudge tcp(named({ReadyWay::tcp}), "node");
  CHECK(tcp.connected(true, kStart) == ReadyWay::tcp);
  CHECK(ready_by_probe(named({ReadyWay::tcp})));
  CHECK_FALSE(ready_by_probe(named({ReadyWay::pipe})));
}
