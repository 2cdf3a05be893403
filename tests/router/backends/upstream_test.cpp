// The worker's side of the data path: answers in any shape, and workers that break the rules.
#include "router/backends/upstream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {

constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n";
constexpr std::string_view kUntilClose = "HTTP/1.1 200 OK\r\n\r\nhello world";

/// What a client reads until the end, and how the connection ended.
std::pair<std::string, Wire::End> read_all(Rig& rig, std::string_view request) {
  Wire client = rig.dial();
  client.write(request);
  std::string text = client.read_rest();
  return {text, client.end()};
}

/// Segments that a TCP socket has received without data. The fields are those of linux/tcp.h, which cannot be included
/// beside netinet/tcp.h: tcpi_segs_in and tcpi_data_segs_in.
std::uint32_t segments_without_data(int fd) {
  constexpr std::size_t kSegments = 140 / 4, kWithData = 152 / 4;
  std::array<std::uint32_t, 64> info{};
  socklen_t length = sizeof info;
  REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, info.data(), &length) == 0);
  REQUIRE(length > 4 * kWithData);
  return info[kSegments] - info[kWithData];
}

void check_invalid(std::string_view answer) {
  CAPTURE(answer);
  FakeWorker worker(answers_once(std::string(answer)));
  Rig rig({{{worker.address()}}});
  const Message got = rig.get();
  CHECK(got.status() == 502);
  CHECK(got.field("x-gray-reason") == "upstream-invalid");
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));
  CHECK(worker.requests() == 1);
  CHECK(rig.totals().errors == 1);
}

}  // namespace

TEST_CASE("an answer may come in any pieces") {
  for (const std::string_view answer : {std::string_view(kChunked), kUntilClose}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
      CAPTURE(piece);
      FakeWorker worker(answers_once(std::string(answer), piece));
      Rig rig({{{worker.address()}}});
      const Message got = rig.get();
      CHECK(got.complete);
      CHECK(got.body == "hello world");
      CHECK(got.field("transfer-encoding") == "chunked");
    }
  }
}

TEST_CASE("small chunks that one read brings go to the client as one") {
  std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 1'000; ++i) answer += i % 50 == 0 ? "1;a=b\r\nx\r\n" : "1\r\nx\r\n";
  FakeWorker worker(answers_once(answer + "0\r\nA: b\r\n\r\n"));
  Rig rig({{{worker.address()}}});
  const std::string text =
      read_all(rig, "GET / HTTP/1.1\r\nHost: test\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n").first;
  CHECK(std::ranges::count(text, 'x') >= 1'000);
  CHECK(text.ends_with("xx\r\n0\r\nA: b\r\n\r\n"));
  const std::string body = text.substr(text.find("\r\n\r\n") + 4);
  const auto lines = std::ranges::count(body, '\n');
  CHECK(lines <= 3 + 2 * 8);  // the last chunk, and a few reads
}

TEST_CASE("a client of HTTP/1.0 gets every body up to the end of the connection (P18)") {
  for (const std::string_view answer : {kChunked, kUntilClose}) {
    FakeWorker worker(answers_once(std::string(answer)));
    Rig rig({{{worker.address()}}});
    const auto [text, end] = read_all(rig, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(text.ends_with("\r\n\r\nhello world"));
    CHECK(text.find("Transfer-Encoding") == std::string::npos);
    CHECK(end == Wire::End::closed);
  }
}

TEST_CASE("HEAD, 204 and 304 have no body, whatever their head says (P18, P19)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
      if (call.request.has("HEAD ")) call.write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
      if (call.request.has("/204")) call.write("HTTP/1.1 204 No Content\r\n\r\n");
      if (call.request.has("/304")) call.write("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n");
      if (call.request.has("/last")) call.write(kOk);
    }
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
  CHECK(client.read_answer(true).field("content-length") == "500");
  client.write(Rig::request_for("/204"));
  CHECK(client.read_answer().status() == 204);
  client.write(Rig::request_for("/304"));
  CHECK(client.read_answer().status() == 304);
  client.write(Rig::request_for("/last"));
  CHECK(client.read_answer().body == "ok");
  CHECK(worker.connections() == 1);
}

TEST_CASE("interim answers are passed on, but not to HTTP/1.0 (P22)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
      const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
      call.write_in_pieces(hints + "HTTP/1.1 102 Processing\r\n\r\n" + std::string(kOk), 9);
    }
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(Rig::request_for());
  const Message hints = client.read_answer();
  CHECK(hints.status() == 103);
  CHECK(hints.field("link") == "</a>");
  CHECK(client.read_answer().status() == 102);
  CHECK(client.read_answer().body == "ok");
  CHECK(ask(rig, "GET / HTTP/1.0\r\n\r\n").status() == 200);
}

TEST_CASE("interim answers are bounded: too many of them are a 502, and the connection is not used again (P22)") {
  const auto hints = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "HTTP/1.1 103 Early Hints\r\n\r\n";
    return text;
  };
  for (const int count : {32, 33}) {
    CAPTURE(count);
    FakeWorker worker(answers_once(hints(count) + std::string(kOk)));
    Rig rig({{{worker.address()}}});
    Wire client = rig.dial();
    client.write(Rig::request_for());
    for (int i = 0; i < 32; ++i) CHECK(client.read_answer().status() == 103);
    const Message last = client.read_answer();
    CHECK(last.status() == (count == 32 ? 200 : 502));
    CHECK(last.field("x-gray-reason") == (count == 32 ? "" : "upstream-invalid"));
    CHECK(rig.segment->wire[0][0].faults[1][22] == (count == 32 ? 0 : 1));
  }
}

TEST_CASE("interim answers do not extend the deadline of the final one (P22)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    if (!call.next()) return;
    while (call.write("HTTP/1.1 102 Processing\r\n\r\n")) let_pass(Duration{100});
  });
  Limits limits;
  limits.request_timeout = Duration{500};
  Rig rig({{{worker.address()}}, limits});
  Wire client = rig.dial();
  client.write(Rig::request_for());
  Message answer;
  do answer = client.read_answer();
  while (answer.status() == 102);
  CHECK(answer.status() == 504);
}

TEST_CASE("trailers are forwarded to a client that asked for them, and only harmless ones (P21)") {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n";
  const std::string section = "X-Sum: 1\r\nContent-Length: 9\r\nSet-Cookie: a=b\r\nX-Gray-Version: v9\r\nB:2\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{1}, std::size_t{7}}) {
    CAPTURE(piece);
    FakeWorker worker(answers_once(head + section, piece));
    Rig rig({{{worker.address()}}});
    const auto [asked, end] = read_all(rig, Rig::request_for("/", "TE: trailers\r\nConnection: close, TE\r\n"));
    CHECK(asked.ends_with("0\r\nX-Sum: 1\r\nB: 2\r\n\r\n"));
    CHECK(worker.seen()[0].field("te") == "trailers");
    CHECK(worker.seen()[0].field("connection") == "TE");
    const auto [silent, closed] = read_all(rig, Rig::request_for("/", "Connection: close\r\n"));
    CHECK(silent.ends_with("\r\n0\r\n\r\n"));
    CHECK(silent.find("X-Sum") == std::string::npos);
    CHECK(worker.seen()[1].field("te").empty());
    const auto [old, gone] = read_all(rig, "GET / HTTP/1.0\r\nTE: trailers\r\n\r\n");
    CHECK(old.ends_with("\r\n\r\nok"));
  }
}

TEST_CASE("after trailers the connection serves the next request (P21)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
      call.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n");
    }
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  for (int i = 0; i < 3; ++i) {
    client.write(Rig::request_for("/", i == 1 ? "" : "TE: trailers\r\n"));
    Message head;
    REQUIRE(client.read_head(head));
    std::string body;
    const std::string expected = i == 1 ? "2\r\nok\r\n0\r\n\r\n" : "2\r\nok\r\n0\r\nA: b\r\n\r\n";
    REQUIRE(client.read_exactly(expected.size(), body));
    CHECK(body == expected);
  }
  CHECK(worker.connections() == 1);
}

TEST_CASE("a client that expects 100 gets it from the worker (P23)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    Message head;
    if (!call.read_head(head)) return;
    call.write("HTTP/1.1 100 Continue\r\n\r\n");
    std::string body;
    if (call.read_exactly(4, body)) call.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + body);
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read_answer().status() == 100);
  client.write("body");
  CHECK(client.read_answer().body == "body");
}

TEST_CASE("an answer that is cut short never ends cleanly (P27)") {
  const std::string_view cut[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
  };
  for (const std::string_view answer : cut) {
    for (const char* request : {"GET / HTTP/1.1\r\nHost: test\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
      CAPTURE(answer);
      CAPTURE(request);
      FakeWorker worker(answers_once(std::string(answer)));
      Rig rig({{{worker.address()}}});
      const auto [text, end] = read_all(rig, request);
      CHECK(end == Wire::End::reset);
      CHECK_FALSE(text.ends_with("0\r\n\r\n"));
      CHECK(eventually([&] { return rig.reason(segment::Reason::upstream_closed) == 1; }));
    }
  }
}

TEST_CASE("an answer that ends with its connection is cut off when that is reset (P27)") {
  Gate gate;
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write(kUntilClose);
    gate.wait();
    call.reset();
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write("GET / HTTP/1.0\r\n\r\n");
  Message head;
  REQUIRE(client.read_head(head));
  gate.open();
  client.read_rest();
  CHECK(client.end() == Wire::End::reset);
}

TEST_CASE("an answer whose chunks are broken is cut off (P20, P27)") {
  FakeWorker worker(answers_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n"));
  Rig rig({{{worker.address()}}});
  const auto [text, end] = read_all(rig, Rig::request_for());
  CHECK(end == Wire::End::reset);
  CHECK(eventually([&] { return rig.reason(segment::Reason::upstream_invalid) == 1; }));
}

TEST_CASE("an invalid answer becomes a 502, and the request is not repeated") {
  check_invalid("hello\r\n\r\n");
  check_invalid("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
  check_invalid("HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n");
  check_invalid("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
  check_invalid("HTTP/1.1 200 OK\r\na: " + std::string(40'000, 'x') + "\r\n\r\n");
}

TEST_CASE("if a worker dies before its first body byte, another one answers") {
  for (const char* part : {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}) {
    CAPTURE(part);
    FakeWorker dying(answers_once(part)), healthy(answers(std::string(kOk)));
    Rig rig({{{dying.address(), healthy.address()}}});
    CHECK(rig.get().status() == 200);
    CHECK(dying.requests() == 1);
    CHECK(healthy.requests() == 1);
  }
}

TEST_CASE("a head that comes alone is held back for a moment only") {
  std::atomic<bool> seen = false;
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    CHECK(eventually([&] { return seen.load(); }));
    call.write("hello");
    call.next();
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(Rig::request_for());
  pollfd readable{client.fd(), POLLIN, 0};
  CHECK(::poll(&readable, 1, 5'000) == 1);
  seen = true;
  const Message answer = client.read_answer();
  CHECK(answer.complete);
  CHECK(answer.body == "hello");
}

// The kernel delays acknowledgements by 40 ms or more. The quickest of some requests counts: the machine may be busy.
TEST_CASE("a worker that sends its answer in pieces, with Nagle's algorithm, is not slowed down") {
  for (const std::vector<std::string>& pieces :
       {std::vector<std::string>{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "he", "llo"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n", "0\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "0\r\n\r\n"}}) {
    CAPTURE(pieces.front());
    FakeWorker worker([&](FakeWorker::Call& call) {
      const int off = 0;
      REQUIRE(::setsockopt(call.fd(), IPPROTO_TCP, TCP_NODELAY, &off, sizeof off) == 0);
      while (call.next())
        for (const std::string& piece : pieces) call.write(piece);
    });
    Rig rig({{{worker.address()}}});
    Wire client = rig.dial();
    Duration quickest = Duration::max();
    for (int request = 0; request < 10; ++request) {
      const TimePoint begin = Clock::now();
      client.write(Rig::request_for());
      CHECK(client.read_answer().body == "hello");
      if (request >= 4) quickest = std::min(quickest, std::chrono::duration_cast<Duration>(Clock::now() - begin));
    }
    CHECK(quickest < Duration{30});
    CHECK(worker.connections() == 1);
  }
}

TEST_CASE("an answer is acknowledged with the next request of its connection, if one waits for it") {
  constexpr int kRequests = 60;
  std::atomic<std::uint32_t> apart{0};
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      apart = segments_without_data(call.fd());
      let_pass(Duration{2});  // until the other request waits
      call.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    }
  });
  Rig rig({{{worker.address()}}, few_sockets(1)});
  Wire clients[] = {rig.dial(), rig.dial()};
  for (Wire& client : clients) client.write(Rig::request_for());
  for (int request = 0; request < kRequests; ++request) {
    Wire& client = clients[request % 2];
    CHECK(client.read_answer().body == "hello");
    client.write(Rig::request_for());
  }
  CHECK(worker.connections() == 1);
  CHECK(apart.load() < kRequests / 2);
}

TEST_CASE("an incomplete head of an answer is a failure of the worker, and the request is repeated once") {
  FakeWorker worker(answers_once("HTTP/1.1 200 OK\r\nContent-Le"));
  Rig rig({{{worker.address()}}});
  const Message got = rig.get();
  CHECK(got.status() == 502);
  CHECK(got.field("x-gray-reason") == "upstream-closed");
  CHECK(worker.requests() == 2);
}

TEST_CASE("bytes behind an answer belong to no request: the connection is not used again (P18)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    if (!call.next()) return;
    const std::string answer = call.request.has("/204") ? "HTTP/1.1 204 No Content\r\n\r\n" : std::string(kOk);
    call.write(answer + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    call.next();
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  for (const char* path : {"/", "/204", "/"}) {
    client.write(Rig::request_for(path));
    const Message got = client.read_answer();
    CHECK(got.status() != 502);
    CHECK(got.body.find("evil") == std::string::npos);
  }
  CHECK(worker.connections() == 3);
}

TEST_CASE("an idle connection on which a worker sends is closed (P18)") {
  Gate gate;
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write(kOk);
    gate.wait();
    call.write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    call.next();
  });
  Rig rig({{{worker.address()}}});
  CHECK(rig.get().status() == 200);
  REQUIRE(eventually([&] { return rig.idle_sockets() == 1; }));
  gate.open();
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));
}

TEST_CASE("after a worker closed behind its answer a new connection is opened (P26)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    if (call.next()) call.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  for (int i = 0; i < 3; ++i) {
    client.write(Rig::request_for());
    const Message got = client.read_answer();
    CHECK(got.body == "ok");
    CHECK(got.field("connection").empty());
  }
  CHECK(worker.connections() == 3);
}

TEST_CASE("a body in chunks is sent in chunks, one with a length with its length") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({{{worker.address()}}});
  rig.segment->workers[0].speaks = segment::Speaks::http11;
  const std::string head = "POST / HTTP/1.1\r\nHost: test\r\n";
  CHECK(ask(rig, head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").status() == 200);
  CHECK(ask(rig, head + "Content-Length: 3\r\n\r\nabc").status() == 200);
  REQUIRE(worker.requests() == 2);
  CHECK(worker.seen()[0].field("transfer-encoding") == "chunked");
  CHECK(worker.seen()[0].body == "abc");
  CHECK(worker.seen()[1].field("content-length") == "3");
  CHECK(worker.seen()[1].body == "abc");
}

TEST_CASE("a worker that reads a large upload slowly pauses the client") {
  Gate gate;
  constexpr std::size_t kSize = 64 << 20;
  std::atomic<std::size_t> sent{0};
  FakeWorker worker([&](FakeWorker::Call& call) {
    Message head;
    if (!call.read_head(head)) return;
    gate.wait();
    std::size_t got = 0;
    for (std::string piece; got < kSize && call.read_exactly(64 << 10, piece); piece.clear()) got += piece.size();
    call.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::to_string(got));
  });
  Rig rig({{{worker.address()}}}, {.budget = 1 << 20});
  Wire client = rig.dial();
  std::thread sender([&] {
    client.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
    const std::string piece(64 << 10, 'x');
    while (sent < kSize && client.write(piece)) sent += piece.size();
  });
  CHECK(stands_still([&] { return sent.load(); }));
  CHECK(sent < kSize);
  gate.open();
  const Message answer = client.read_answer();
  sender.join();
  CHECK(answer.body == std::to_string(kSize));
}
