// The client's side of the data path: requests in any shape, answers in order, and how connections end.
#include "router/downstream/downstream.hpp"

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {

/// Answers with the path of the request.
FakeWorker::Script says_path() {
  return [](FakeWorker::Call& call) {
    while (call.next()) {
      const std::string path = call.request.head.substr(4, call.request.head.find(' ', 4) - 4);
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" + path);
    }
  };
}

std::string post_request(std::string_view body) {
  const std::string head = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size());
  return head + "\r\n\r\n" + std::string(body);
}

std::string chunked(std::string_view body, std::size_t chunk) {
  std::string text = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) {
    char size[32];
    text.append(size, http::write_chunk_head(std::min(chunk, body.size()), size));
    text += body.substr(0, chunk);
    text += "\r\n";
  }
  return text + "0\r\n\r\n";
}

std::string noise(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('!' + (i * 7919 + i / 251) % 90);
  return text;
}

Limits with_body(std::uint64_t bytes) {
  Limits limits;
  limits.body = bytes;
  return limits;
}

RigOptions behind_a_balancer() {
  RigOptions options{.proxied = true};
  options.settings.trusted_proxies = {*Cidr::parse("127.0.0.0/8")};
  return options;
}

}  // namespace

TEST_CASE("a connection serves one request after the other") {
  FakeWorker worker(says_path());
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  for (const char* path : {"/a", "/b", "/c"}) {
    client.write(Rig::request_for(path));
    const Message answer = client.read_answer();
    CHECK(answer.status() == 200);
    CHECK(answer.body == path);
    CHECK(answer.field("connection").empty());
  }
  CHECK(worker.connections() == 1);
}

TEST_CASE("pipelined requests are answered in order, whatever the pieces (P25)") {
  FakeWorker worker(says_path());
  Rig rig({{{worker.address()}}});
  std::string requests;
  for (int i = 0; i < 40; ++i)
    requests += i % 3 == 0 ? post_request("ignored") : Rig::request_for("/" + std::to_string(i));
  for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{97}}) {
    CAPTURE(piece);
    Wire client = rig.dial();
    REQUIRE(client.write_in_pieces(requests, piece));
    for (int i = 0; i < 40; ++i) {
      const Message answer = client.read_answer();
      CHECK(answer.status() == 200);
      if (i % 3 != 0) CHECK(answer.body == "/" + std::to_string(i));
    }
  }
}

TEST_CASE("a head may come byte by byte") {
  FakeWorker worker(says_path());
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write_in_pieces(Rig::request_for("/slowly"), 1);
  CHECK(client.read_answer().body == "/slowly");
}

TEST_CASE("a body arrives whole, by length or in chunks, in odd pieces") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}});
  const std::string body = noise(200'000);
  for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{4'093}}) {
    for (const std::string& request :
         {post_request(body), chunked(body, 1'013), chunked(body, 70'000), post_request(""), chunked("", 1)}) {
      CAPTURE(piece);
      Wire client = rig.dial();
      REQUIRE(client.write_in_pieces(request, piece));
      const Message answer = client.read_answer();
      CHECK(answer.status() == 200);
      CHECK(answer.complete);
      CHECK((answer.body == body || answer.body.empty()));
      CHECK(answer.body.empty() == (request.size() < 200));
    }
  }
  Wire client = rig.dial();
  client.write_in_pieces(chunked("byte by byte", 5), 1);
  CHECK(client.read_answer().body == "byte by byte");
}

TEST_CASE("small chunks that one read brings go to the worker as one") {
  const std::string body(60'000, 'x');  // more than is gathered before a socket is taken
  std::string received;
  FakeWorker worker([&received](FakeWorker::Call& call) {
    Message head;
    if (!call.read_head(head)) return;
    while (!received.ends_with("0\r\n\r\n") && call.read_exactly(1, received)) continue;
    call.write(kOk);
  });
  Rig rig({{{worker.address()}}});
  rig.segment->workers[0].speaks = segment::Speaks::http11;
  Wire client = rig.dial();
  client.write(chunked(body, 1));
  CHECK(client.read_answer().status() == 200);
  CHECK(std::ranges::count(received, 'x') == 60'000);
  CHECK(std::ranges::count(received, '\n') < 2'000);  // 120,000 lines came
}

TEST_CASE("two requests with bodies on one connection do not mix (P28)") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(chunked("first", 2) + post_request("second") + Rig::request_for());
  CHECK(client.read_answer().body == "first");
  CHECK(client.read_answer().body == "second");
  CHECK(client.read_answer().body.empty());
}

TEST_CASE("a client that asks for it gets Connection: close, and the close") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(Rig::request_for("/", "Connection: close\r\n"));
  const Message answer = client.read_answer();
  CHECK(answer.body == "x");
  CHECK(answer.field("connection") == "close");
  check_closed(client);
}

TEST_CASE("an HTTP/1.0 client gets its answer and the end of the connection, or keeps it if it asked to (P26)") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  Wire plain = rig.dial(), keeping = rig.dial();
  plain.write("GET / HTTP/1.0\r\n\r\n");
  CHECK(plain.read_answer().body == "x");
  check_closed(plain);
  for (int i = 0; i < 2; ++i) {
    keeping.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const Message answer = keeping.read_answer();
    CHECK(answer.body == "x");
    CHECK(answer.field("connection") == "keep-alive");
  }
}

TEST_CASE("an invalid request is refused once, and bytes behind it are not read as a request (P26)") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write("GET / HTTP/1.1\r\nHost : test\r\n\r\n" + Rig::request_for());
  const Message answer = client.read_answer();
  CHECK(answer.status() == 400);
  CHECK(answer.field("x-gray-reason") == "bad-request");
  CHECK(answer.field("connection") == "close");
  check_closed(client);
  CHECK(worker.requests() == 0);
}

TEST_CASE("a body above the limit is refused, and the client gets to read why (P8, P26)") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}, with_body(100'000)});
  const std::string large = noise(3'000'000);
  for (const std::string& request : {post_request(large), chunked(large, 5'000)}) {
    Wire client = rig.dial();
    std::thread sender([&] { client.write(request); });
    const Message answer = client.read_answer();
    CHECK(answer.status() == 413);
    CHECK(answer.field("x-gray-reason") == "too-large");
    CHECK(answer.field("connection") == "close");
    check_closed(client);
    sender.join();
  }
  CHECK(rig.get().status() == 200);
  CHECK(worker.requests() == 1);
}

TEST_CASE("broken chunks end the request with 400") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n");
  const Message answer = client.read_answer();
  CHECK(answer.status() == 400);
  CHECK(answer.field("connection") == "close");
  check_closed(client);
  CHECK(worker.requests() == 0);
}

TEST_CASE("an incomplete head gets an answer at its deadline, an idle connection is just closed") {
  FakeWorker worker(says("x"));
  Limits limits;
  limits.head_timeout = Duration{500};
  limits.idle_timeout = Duration{500};
  Rig rig({{{worker.address()}}, limits});
  Wire half = rig.dial(), silent = rig.dial(), idle = rig.dial();
  half.write("GET / HTTP/1.1\r\nHo");
  idle.write(Rig::request_for());
  CHECK(idle.read_answer().status() == 200);
  const Message answer = half.read_answer();
  CHECK(answer.status() == 408);
  CHECK(answer.field("x-gray-reason") == "request-timeout");
  check_closed(half);
  check_closed(silent);
  check_closed(idle);
}

TEST_CASE("later bytes do not extend the deadline of a head") {
  FakeWorker worker(says("x"));
  Limits limits;
  limits.head_timeout = Duration{200};
  Rig rig({{{worker.address()}}, limits});
  Wire client = rig.dial();
  client.write("GET / HTTP/1.1\r\n");
  std::atomic<bool> answered{false};
  std::thread trickle([&] {
    while (!answered && client.write("a: b\r\n")) let_pass(Duration{20});
  });
  CHECK(client.read_answer().status() == 408);
  answered = true;
  trickle.join();
}

TEST_CASE("behind a PROXY header the client is the one that it names (PROXY)") {
  const std::string line = "PROXY TCP4 192.0.2.7 10.0.0.1 5555 80\r\n";
  const std::string binary = std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c", 16) +
                             std::string("\xc0\x00\x02\x07\x0a\x00\x00\x01\x15\xb3\x00\x50", 12);
  const std::string local = std::string("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", 16);
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}}, behind_a_balancer());
  int closed = 0;
  for (const auto& [header, client] : {std::pair{line, "192.0.2.7"},
                                       {binary, "192.0.2.7"},
                                       {local, "127.0.0.1"},
                                       {std::string("PROXY UNKNOWN\r\n"), "127.0.0.1"}}) {
    for (const std::size_t piece : {std::size_t{1} << 20, header.size(), std::size_t{1}}) {
      CAPTURE(header);
      CAPTURE(piece);
      Wire wire = rig.dial();
      REQUIRE(wire.write_in_pieces(header + Rig::request_for("/a") + Rig::request_for("/b"), piece));
      CHECK(wire.read_answer().status() == 200);
      CHECK(wire.read_answer().status() == 200);
      CHECK(worker.seen().back().field("x-forwarded-for") == client);
      wire.close();
      REQUIRE(eventually([&] { return rig.closed_clients() == closed + 1; }));
      ++closed;
      CHECK(rig.last_closed().starts_with(client));
    }
  }
}

TEST_CASE("a PROXY header that is wrong, late, repeated, or from an untrusted peer ends the connection (PROXY)") {
  FakeWorker worker(says("x"));
  Limits hasty;
  hasty.head_timeout = Duration{1'000};
  Rig rig({{{worker.address()}}}, behind_a_balancer()), impatient({{{worker.address()}}, hasty}, behind_a_balancer());
  Rig strict({{{worker.address()}}}, {.proxied = true});
  const auto refused = [](Wire wire, std::string_view bytes, int status, std::string_view why) {
    CAPTURE(bytes);
    wire.write(bytes);
    const Message answer = wire.read_answer();
    CHECK(answer.status() == status);
    CHECK(answer.body.find(why) != std::string::npos);
    CHECK(answer.field("connection") == "close");
    check_closed(wire);
  };
  const std::string line = "PROXY TCP4 192.0.2.7 10.0.0.1 5555 80\r\n";
  refused(rig.dial(), Rig::request_for(), 400, "does not begin with a PROXY header");
  refused(rig.dial(), "PROXY TCP4 192.0.2.7 10.0.0.1 5555 080\r\n" + Rig::request_for(), 400, "port");
  refused(rig.dial(), line + line + Rig::request_for(), 400, "");
  refused(rig.dial(), "PROXY TCP4 " + std::string(kCrowdedClient) + " 10.0.0.1 1 2\r\n" + Rig::request_for(), 503,
          "its limit of connections");
  CHECK(eventually([&] { return rig.last_closed().starts_with(kCrowdedClient); }));
  refused(strict.dial(), "", 400, "trusted_proxies");
  Wire half = impatient.dial(), half_head = impatient.dial(), silent = impatient.dial();
  half.write(line.substr(0, 20));
  half_head.write(line + "GET / HT");
  refused(std::move(half), "", 408, "PROXY header did not arrive");
  refused(std::move(half_head), "", 408, "head did not arrive");
  check_closed(silent);
  CHECK(worker.requests() == 0);
}

TEST_CASE("later bytes do not extend the deadline of a PROXY header (PROXY)") {
  FakeWorker worker(says("x"));
  Limits limits;
  limits.head_timeout = Duration{200};
  Rig rig({{{worker.address()}}, limits}, behind_a_balancer());
  Wire client = rig.dial();
  client.write("PROXY UNKNOWN ");
  std::atomic<bool> answered{false};
  std::thread trickle([&] {
    for (int i = 0; i < 90 && !answered && client.write("x"); ++i) let_pass(Duration{20});
  });
  CHECK(client.read_answer().status() == 408);
  answered = true;
  trickle.join();
}

TEST_CASE("a head that is too large is refused before it is complete") {
  FakeWorker worker(says("x"));
  Limits limits;
  limits.head = 4096;
  Rig rig({{{worker.address()}}, limits});
  Wire long_field = rig.dial(), long_target = rig.dial();
  long_field.write("GET / HTTP/1.1\r\nHost: test\r\na: " + std::string(5'000, 'x'));
  CHECK(long_field.read_answer().status() == 431);
  check_closed(long_field);
  long_target.write("GET /" + std::string(5'000, 'x'));
  const Message answer = long_target.read_answer();
  CHECK(answer.status() == 414);
  CHECK(answer.field("x-gray-reason") == "too-large");
}

TEST_CASE("a head of hundreds of kilobytes passes where the limits allow it") {
  FakeWorker worker(says("x"));
  Limits limits;
  limits.head = 1 << 20;
  limits.fields = 1000;
  Rig rig({{{worker.address()}}, limits});
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "f" + std::to_string(i) + ": " + std::string(3'000, 'x') + "\r\n";
  CHECK(rig.get("/", fields).status() == 200);
  REQUIRE(worker.requests() == 1);
  CHECK(worker.seen()[0].field("f99").size() == 3'000);
}

TEST_CASE("an exhausted memory budget refuses the request and keeps the router") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}}, {.budget = 40 * 1024});
  Wire hog = rig.dial();
  hog.write("GET / HTTP/1.1\r\nHost: test\r\na: " + std::string(900, 'x'));
  CHECK(rig.get("/", "a: " + std::string(900, 'x') + "\r\n").status() == 200);
  const Message answer = rig.get("/", "a: " + std::string(17'000, 'x') + "\r\n");  // in a buffer of 64 KiB
  CHECK(answer.status() == 503);
  CHECK(answer.field("x-gray-reason") == "overloaded");
  CHECK(rig.get().status() == 200);
}

TEST_CASE("a slow reader pauses its worker, in bounded memory, and no other client") {
  constexpr std::size_t kSize = 64 << 20;
  std::atomic<std::size_t> written{0};
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    if (call.request.has("GET /small")) {
      call.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall");
      return;
    }
    call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
    const std::string piece(64 << 10, 'x');
    while (written < kSize && call.write(piece)) written += piece.size();
  });
  Rig rig({{{worker.address()}}}, {.budget = 1 << 20});
  Wire slow = rig.dial(0, 16 << 10);
  slow.write(Rig::request_for("/large"));
  REQUIRE(stands_still([&] { return written.load(); }));
  CHECK(written < kSize / 2);
  CHECK(rig.get("/small").body == "small");
  const Message answer = slow.read_answer();
  CHECK(answer.complete);
  CHECK(answer.body.size() == kSize);
}

TEST_CASE("a client that pipelines and does not read is paused, not cut off (P25)") {
  const std::string body(60'000, 'x');
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n";
  FakeWorker::Script script;
  SUBCASE("by a worker that keeps its connections") { script = answers(head + "\r\n" + body); }
  SUBCASE("by a worker that closes them") { script = answers_once(head + "Connection: close\r\n\r\n" + body); }
  FakeWorker worker(script);
  Rig rig({{{worker.address()}}}, {.budget = 2 << 20});
  Wire client = rig.dial(0, 8 << 10);
  constexpr int kRequests = 600;
  std::thread sender([&] {
    for (int i = 0; i < kRequests; ++i) client.write(Rig::request_for());
  });
  REQUIRE(stands_still([&] { return worker.requests(); }));
  CHECK(worker.requests() < kRequests);
  int complete = 0;
  for (int i = 0; i < kRequests; ++i) complete += client.read_answer().body == body ? 1 : 0;
  sender.join();
  CHECK(complete == kRequests);
}

TEST_CASE("a client that leaves within its body ends the request (P27)") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}});
  Wire small = rig.dial(), large = rig.dial();
  small.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf of it");
  large.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 99999\r\n\r\n" + std::string(20'000, 'x'));
  REQUIRE(eventually([&] { return rig.sockets(0) == 1 && rig.totals().in_flight == 2; }));
  small.close();
  large.close();
  REQUIRE(eventually([&] { return rig.totals().requests == 2; }));
  CHECK(rig.reason(segment::Reason::client_gone) == 2);
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));
  CHECK(worker.requests() == 0);
}

TEST_CASE("a client that pipelines refused requests and does not read is paused, too") {
  RouterSettings settings;
  settings.max_requests_per_connection = 1'000'000;
  Rig rig({}, {.settings = settings});
  Wire client = rig.dial(0, 8 << 10);
  constexpr int kRequests = 100'000;
  std::atomic<int> sent{0};
  std::thread sender([&] {
    std::string many;
    const std::string fields = "a: " + std::string(200, 'x') + "\r\n";  // more than the kernel's buffers hold
    for (int i = 0; i < 500; ++i) many += Rig::request_for("/", fields);
    for (; sent < kRequests && client.write(many);) sent += 500;
  });
  REQUIRE(stands_still([&] { return sent.load(); }));
  CHECK(sent < kRequests);
  int answered = 0;
  for (int i = 0; i < kRequests; ++i) answered += client.read_answer().status() == 404 ? 1 : 0;
  sender.join();
  CHECK(answered == kRequests);
}

TEST_CASE("a client that sends FIN within its answer still gets the rest") {
  Gate gate;
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
    gate.wait();
    call.write("lf");
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(Rig::request_for());
  Message head;
  REQUIRE(client.read_head(head));
  client.finish_writing();
  gate.open();
  CHECK(client.read_rest() == "half");
  CHECK(client.end() == Wire::End::closed);
}

TEST_CASE("a thousand pipelined requests are answered in order, one at a time, errors too (P25)") {
  std::atomic<int> open{0}, most{0};
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      most = std::max(most.load(), ++open);
      const std::string path = call.request.head.substr(4, call.request.head.find(' ', 4) - 4);
      --open;
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" + path);
    }
  });
  Rig rig({{{worker.address()}}}, {.budget = 512 << 10});  // half of what is sent at once
  const std::string padding = "X: " + std::string(1'000, 'x') + "\r\n";
  std::string requests;
  for (int i = 0; i < 1000; ++i) {
    requests += i % 10 == 9 ? "OPTIONS * HTTP/1.1\r\nHost: test\r\nMax-Forwards: 0\r\n" + padding + "\r\n"
                            : Rig::request_for("/" + std::to_string(i), padding);
  }
  Wire client = rig.dial();
  std::thread sender([&] { client.write(requests + "G@T / HTTP/1.1\r\n\r\n" + Rig::request_for("/behind")); });
  for (int i = 0; i < 1000; ++i) {
    const Message answer = client.read_answer();
    CHECK(answer.status() == 200);
    CHECK(answer.body == (i % 10 == 9 ? "" : "/" + std::to_string(i)));
  }
  CHECK(client.read_answer().status() == 400);
  check_closed(client);
  sender.join();
  CHECK(most == 1);
  CHECK(worker.requests() == 900);
  CHECK(worker.connections() == 1);
}

TEST_CASE("the last answer on a connection has Connection: close, and a client still sending can read it (P26)") {
  FakeWorker worker(says_path());
  RouterSettings settings;
  settings.max_requests_per_connection = 3;
  Rig rig({{{worker.address()}}}, {.settings = settings});
  std::string requests;
  for (int i = 0; i < 2000; ++i)
    requests += Rig::request_for("/" + std::to_string(i), "X: " + std::string(500, 'x') + "\r\n");
  Wire client = rig.dial();
  std::thread sender([&] { client.write(requests); });
  for (int i = 0; i < 3; ++i) {
    const Message answer = client.read_answer();
    CHECK(answer.body == "/" + std::to_string(i));
    CHECK(answer.field("connection") == (i == 2 ? "close" : ""));
  }
  check_closed(client);
  sender.join();
  CHECK(worker.requests() == 3);
  CHECK(worker.connections() == 1);
}

TEST_CASE("a client that leaves within its answer counts as a failed write of the client side (P27)") {
  std::atomic<std::size_t> written{0};
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    const std::string piece(100'000, 'x');
    while (written < 100'000'000 && call.write(piece)) written += piece.size();
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial(0, 8 << 10);
  client.write(Rig::request_for());
  REQUIRE(stands_still([&] { return written.load(); }));
  client.reset();
  const auto& errors = rig.segment->wire[0][0].write_errors;
  CHECK(eventually([&] { return errors[0] == 1; }));
  CHECK(eventually([&] { return rig.reason(segment::Reason::client_gone) == 1; }));
  CHECK(errors[1] == 0);
}

TEST_CASE("a trace is forwarded with our span as the parent, which the log names (P31)") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  rig.get("/", "traceparent: 00-" + trace + "-b7ad6b7169203331-01\r\ntracestate: a=1\r\n");
  rig.get("/", "traceparent: 00-" + trace + "-b7ad6b7169203331-01\r\n");
  rig.get();
  const auto seen = worker.seen();
  REQUIRE(seen.size() == 3);
  const std::string first = seen[0].field("traceparent"), second = seen[1].field("traceparent");
  for (const std::string& sent : {first, second}) {
    CHECK(http::read_traceparent(sent).trace_id == trace);
    CHECK(sent.find("b7ad6b7169203331") == std::string::npos);
  }
  CHECK(first != second);
  CHECK(seen[0].field("tracestate") == "a=1");
  CHECK(seen[2].field("traceparent").empty());
}
