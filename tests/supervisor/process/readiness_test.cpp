#include "supervisor/process/readiness.hpp"

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

ReadyJudge judging(const Readiness& readiness, const std::string& path = {}) {
  VersionSettings settings;
  settings.command = {"node"};
  settings.ready = readiness;
  settings.health.path = path;
  return ReadyJudge(settings);
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

TEST_CASE("a pipe that exceeds a limit is ignored from then on") {
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

TEST_CASE("deep nesting in a message does no harm") {
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
    CHECK_FALSE(Notice::parse(bytes).ready);
  }
}

TEST_CASE("only the line READY=1 of a datagram is ready") {
  for (const char* text : {"READY=1", "READY=1\n", "STATUS=up\nREADY=1", "READY=0\nREADY=1", "\nREADY=1"})
    CHECK(Notice::parse(text).ready);
  for (const char* text : {"", "\n", "READY=10", "XREADY=1", "READY=0", "READY", "READY=1 ", " READY=1", "ready=1",
                           "READY=\n1", "STATUS=READY=1", "READY=1\r\n"})
    CHECK_FALSE(Notice::parse(text).ready);
  CHECK_FALSE(Notice::parse(std::string_view("READY=1\0", 8)).ready);
}

TEST_CASE("a datagram may contain a status and an extension") {
  const Notice notice =
      Notice::parse("STATUS=loading \x1b[2J 3 of 7\nEXTEND_TIMEOUT_USEC=1500001\nMAINPID=1\nFDSTORE=1");
  CHECK(notice.status == "loading ?[2J 3 of 7");
  CHECK(notice.extend == Duration{1'501});
  CHECK_FALSE(notice.ready);
  CHECK(Notice::parse("STATUS=" + std::string(5'000, 'x')).status->size() == Notice::kStatus);
  CHECK(Notice::parse("STATUS=").status == "");
  CHECK(Notice::parse("EXTEND_TIMEOUT_USEC=18446744073709551615").extend == Duration{86'400'000});
  for (const char* text : {"EXTEND_TIMEOUT_USEC=", "EXTEND_TIMEOUT_USEC=-1", "EXTEND_TIMEOUT_USEC=1s",
                           "EXTEND_TIMEOUT_USEC=18446744073709551616", "EXTEND_TIMEOUT_USEC= 1"})
    CHECK_FALSE(Notice::parse(text).extend);
}

TEST_CASE("the first newline on the descriptor of fd:N is ready, once") {
  NewlineReader reader;
  CHECK_FALSE(reader.feed(""));
  CHECK_FALSE(reader.feed("READY=1"));
  CHECK_FALSE(reader.ready());
  CHECK(reader.feed("x\ny"));
  CHECK_FALSE(reader.feed("\n"));
  CHECK(reader.ready());
}

TEST_CASE("the automatic choice offers the messages, IPC to programs that use it, and one probe") {
  const auto judge = [](const char* program, const char* path = "", ListenMode listen = ListenMode::port) {
    VersionSettings settings;
    settings.command = {program};
    settings.health.path = path;
    settings.listen = listen;
    return ReadyJudge(settings);
  };
  for (const char* program : {"/usr/bin/node", "nodejs", "bun", "deno"}) CHECK(judge(program).offers(ReadyWay::ipc));
  for (const char* program : {"sh", "npm", "node.sh", "/node/sh"}) CHECK_FALSE(judge(program).offers(ReadyWay::ipc));
  CHECK(judge("sh").offers(ReadyWay::pipe));
  CHECK(judge("sh").offers(ReadyWay::notify));
  CHECK_FALSE(judge("sh").offers(ReadyWay::fd));
  CHECK(judge("sh").offers(ReadyWay::tcp));
  CHECK_FALSE(judge("sh").offers(ReadyWay::http));
  CHECK(judge("sh").probe_path().empty());
  CHECK_FALSE(judge("sh", "/h").offers(ReadyWay::tcp));
  CHECK(judge("sh", "/h").offers(ReadyWay::http));
  CHECK(judge("sh", "/h").probe_path() == "/h");
  CHECK(judge("sh", "", ListenMode::unix_path).by_probe());
  CHECK_FALSE(judge("sh", "", ListenMode::inherited).by_probe());
  CHECK(judge("sh", "/h", ListenMode::inherited).by_probe());
}

TEST_CASE("in the automatic choice connects count after one second, and an earlier message takes precedence") {
  ReadyJudge judge = judging({});
  CHECK_FALSE(judge.probed(true, kStart));
  CHECK_FALSE(judge.probed(true, kStart + 900ms));
  CHECK(judge.probed(true, kStart + 1s) == ReadyWay::tcp);
  CHECK_FALSE(judge.said(ReadyWay::pipe));

  ReadyJudge early = judging({});
  CHECK_FALSE(early.probed(true, kStart));
  CHECK(early.said(ReadyWay::notify) == ReadyWay::notify);
  CHECK_FALSE(early.probed(true, kStart + 2s));
}

TEST_CASE("a refused connect restarts the second") {
  ReadyJudge judge = judging({});
  judge.probed(true, kStart);
  judge.probed(false, kStart + 500ms);
  CHECK_FALSE(judge.probed(true, kStart + 1100ms));
}

TEST_CASE("two good answers in a row are ready by HTTP, in the automatic choice too") {
  for (const Readiness& readiness : {Readiness{}, named({ReadyWay::http})}) {
    ReadyJudge judge = judging(readiness, "/healthz");
    CHECK_FALSE(judge.probed(true, kStart));
    CHECK_FALSE(judge.probed(false, kStart));
    CHECK_FALSE(judge.probed(true, kStart));
    CHECK(judge.probed(true, kStart) == ReadyWay::http);
    CHECK_FALSE(judge.probed(true, kStart));
  }
}

TEST_CASE("if ways are configured, only those count, and a configured connect counts at once") {
  ReadyJudge pipe = judging(named({ReadyWay::pipe}), "/healthz");
  CHECK_FALSE(pipe.probed(true, kStart));
  CHECK_FALSE(pipe.probed(true, kStart + 10s));
  CHECK_FALSE(pipe.said(ReadyWay::ipc));
  CHECK_FALSE(pipe.said(ReadyWay::notify));
  CHECK_FALSE(pipe.by_probe());
  CHECK(pipe.said(ReadyWay::pipe) == ReadyWay::pipe);
  ReadyJudge tcp = judging(named({ReadyWay::tcp, ReadyWay::http}), "/healthz");
  CHECK(tcp.probe_path().empty());
  CHECK(tcp.by_probe());
  CHECK(tcp.probed(true, kStart) == ReadyWay::tcp);
  CHECK(judging(named({ReadyWay::fd})).said(ReadyWay::fd) == ReadyWay::fd);
}
