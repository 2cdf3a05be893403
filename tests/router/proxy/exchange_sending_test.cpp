// What a worker gets of a request, by the version of HTTP that it is known to speak.
#include <cstdio>

#include "router/proxy/exchange.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;
using segment::Speaks;

namespace {

constexpr std::string_view kChunks = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string in_chunks(std::size_t bytes) {
  char size[16];
  (void)std::snprintf(size, sizeof size, "%zx", bytes);
  return std::string(kChunks) + size + "\r\n" + std::string(bytes, 'x') + "\r\n0\r\n\r\n";
}
std::string with(std::string_view field) {
  return "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n" + std::string(field) + "\r\n\r\nhi";
}

/// What came of a request: to the worker, and back.
struct Passed {
  int status = 0;
  std::string reason;
  Message seen;  // by the worker; empty: nothing
};

Passed pass(Speaks known, const std::string& request, std::string answer = std::string(kOk)) {
  FakeWorker worker(answers(std::move(answer)));
  Rig rig({{{worker.address()}}});
  rig.segment->workers[0].speaks = known;
  Wire client = rig.dial();
  client.write(request);
  Message back = client.read_answer();
  if (back.status() == 100) back = client.read_answer();
  const auto seen = worker.seen();
  return {back.status(), back.field("x-gray-reason"), seen.empty() ? Message{} : seen.front()};
}

}  // namespace

TEST_CASE("a worker gets only what its version of HTTP allows (P16, P23, P24)") {
  struct Row {
    std::string request;
    std::string_view field;        // of the worker's request
    std::string http10, http11;    // its value by what the worker is known to speak
    std::string unknown = http11;  // before its first answer
  };
  const Row rows[] = {
      {in_chunks(5), "content-length", "5", "", "5"},
      {in_chunks(5), "transfer-encoding", "", "chunked", ""},
      {std::string(kChunks) + "0\r\n\r\n", "content-length", "0", "", "0"},
      {with("TE: trailers\r\nConnection: TE"), "te", "", "trailers"},
      {with("TE: trailers\r\nConnection: TE"), "connection", "", "TE"},
      {with("Expect: 100-continue"), "expect", "", "100-continue"},
      {with("Connection: upgrade\r\nUpgrade: websocket"), "upgrade", "", "websocket"},
      {with("Connection: upgrade\r\nUpgrade: websocket"), "content-length", "2", "2"},
  };
  for (const Row& row : rows) {
    INFO(row.request, " ", row.field);
    for (const auto& [known, expected] : {std::pair{Speaks::http10, row.http10}, std::pair{Speaks::http11, row.http11},
                                          std::pair{Speaks::unknown, row.unknown}}) {
      const Passed passed = pass(known, row.request);
      CHECK(passed.status == 200);
      CHECK(passed.seen.field(row.field) == expected);
      CHECK(passed.seen.complete);
    }
  }
}

TEST_CASE("a long body in chunks for a worker that speaks HTTP/1.0 needs a length (P16)") {
  const Passed refused = pass(Speaks::http10, in_chunks(20'000));
  CHECK(refused.status == 411);
  CHECK(refused.reason == "length-required");
  CHECK(refused.seen.head.empty());
  for (const Speaks known : {Speaks::unknown, Speaks::http11}) {
    const Passed passed = pass(known, in_chunks(20'000));
    CHECK(passed.status == 200);
    CHECK(passed.seen.field("transfer-encoding") == "chunked");
    CHECK(passed.seen.body.size() == 20'000);
  }
}

TEST_CASE("every answer shows again what its worker speaks, for all threads") {
  for (const bool old : {true, false}) {
    const std::string version = old ? "HTTP/1.0" : "HTTP/1.1";
    FakeWorker worker(answers(version + " 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"));
    Rig rig({{{worker.address()}}}, {.shards = 2});
    rig.segment->workers[0].speaks = old ? Speaks::http11 : Speaks::http10;
    CHECK(rig.get().status() == 200);
    CHECK(rig.segment->workers[0].speaks == (old ? Speaks::http10 : Speaks::http11));
    Wire other = rig.dial(1);
    other.write(in_chunks(3));
    CHECK(other.read_answer().status() == 200);
    CHECK(worker.seen().at(1).field("content-length") == (old ? "3" : ""));
  }
}

TEST_CASE("a socket to a worker that speaks HTTP/1.0 is kept only if the answer says so (P26)") {
  for (const bool keeps : {true, false}) {
    const std::string field = keeps ? "Connection: keep-alive\r\n" : "";
    FakeWorker worker(answers("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n" + field + "\r\nok"));
    Rig rig({{{worker.address()}}});
    CHECK(rig.get().body == "ok");
    REQUIRE(eventually([&] { return rig.idle_sockets() == (keeps ? 1u : 0u); }));
    CHECK(rig.get().body == "ok");
    CHECK(worker.connections() == (keeps ? 1 : 2));
  }
}

TEST_CASE("a client that expects 100 gets it at once before a worker that speaks HTTP/1.0 (P23)") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}});
  rig.segment->workers[0].speaks = Speaks::http10;
  Wire client = rig.dial();
  client.write("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read_answer().status() == 100);
  client.write("body");
  CHECK(client.read_answer().body == "body");
}
