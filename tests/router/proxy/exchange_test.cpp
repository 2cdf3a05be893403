// One request and its answer in error cases: what is repeated, what the router answers, which version is charged.
#include "router/proxy/exchange.hpp"

#include "tests/router/backends/deferring_engine.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;
using segment::Reason;

namespace {

/// Reads a request and closes without an answer.
FakeWorker::Script closes() {
  return [](FakeWorker::Call& call) { call.next(); };
}
/// Reads requests and never answers.
FakeWorker::Script keeps_silent() {
  return [](FakeWorker::Call& call) {
    while (call.next()) {
    }
  };
}
std::string post(std::string_view body, std::string_view method = "POST") {
  const std::string head = " / HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size());
  return std::string(method) + head + "\r\n\r\n" + std::string(body);
}

Limits one_socket(std::uint32_t queue = 256, Duration queue_timeout = Duration{8'000}) {
  Limits limits = few_sockets(1, queue);
  limits.queue_timeout = queue_timeout;
  return limits;
}

}  // namespace

TEST_CASE("a worker that cannot be reached is a 502, counted as an error of its version") {
  Listener nobody;
  Rig rig({{{nobody.address()}}});
  const Message answer = rig.get();
  CHECK(answer.status() == 502);
  CHECK(answer.field("x-gray-reason") == "connect-failed");
  CHECK(answer.field("x-gray-version") == "v1");
  CHECK(answer.field("x-request-id").size() == 32);
  CHECK(answer.field("connection").empty());
  CHECK(eventually([&] { return rig.totals().requests == 1; }));
  CHECK(rig.reason(Reason::connect_failed) == 1);
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));
}

TEST_CASE("one failure is repeated on another worker, which is then preferred") {
  Listener nobody;
  FakeWorker good(says("good"));
  Rig rig({{{nobody.address(), good.address()}}});
  CHECK(rig.get().body == "good");
  CHECK(eventually([&] { return rig.totals().retries == 1; }));
  CHECK(rig.totals().errors == 1);
  CHECK(rig.get().body == "good");
  CHECK(eventually([&] { return rig.totals().requests == 2; }));
  CHECK(rig.totals().retries == 1);
}

TEST_CASE("a request is repeated once, not until a worker answers") {
  FakeWorker first(closes()), second(closes()), third(closes());
  Rig rig({{{first.address(), second.address(), third.address()}}});
  const Message answer = rig.get();
  CHECK(answer.status() == 502);
  CHECK(answer.field("x-gray-reason") == "upstream-closed");
  CHECK(first.requests() + second.requests() + third.requests() == 2);
}

TEST_CASE("a user sent to a failing canary by the bucket is answered by stable") {
  FakeWorker stable(says("stable")), canary(closes());
  Rig rig({{{stable.address()}, {canary.address()}}, {}, 100});
  const Message answer = rig.get();
  CHECK(answer.body == "stable");
  CHECK(answer.field("x-gray-version") == "v1");
  CHECK(answer.field("x-gray-decision") == "fallback");
  CHECK(eventually([&] { return rig.totals(0).requests == 1; }));
  CHECK(rig.totals(0).errors == 0);
  CHECK(rig.totals(1).errors == 1);
  CHECK(rig.totals(1).requests == 0);
  CHECK(rig.totals(1).in_flight == 0);
}

TEST_CASE("a user who named the failing version gets its failure") {
  FakeWorker stable(says("stable")), canary(closes());
  Rig rig({{{stable.address()}, {canary.address()}}, {}, 100});
  const Message answer = rig.get("/?version=v2");
  CHECK(answer.status() == 502);
  CHECK(answer.field("x-gray-version") == "v2");
  CHECK(stable.requests() == 0);
}

TEST_CASE("a socket that went stale in the pool costs a fresh one, not an error (P26)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
      if (call.number() == 1 && call.request.has("/second")) return;
      call.write(kOk);
    }
  });
  Rig rig({{{worker.address()}}});
  CHECK(rig.get().status() == 200);
  REQUIRE(eventually([&] { return rig.idle_sockets() == 1; }));
  CHECK(rig.get("/second").status() == 200);
  CHECK(worker.connections() == 2);
  CHECK(eventually([&] { return rig.totals().requests == 2; }));
  CHECK(rig.totals().retries == 0);
  CHECK(rig.sockets(0) == 1);
}

TEST_CASE("a POST is not sent twice (P25)") {
  FakeWorker first(closes()), second(closes());
  Rig rig({{{first.address(), second.address()}}});
  const Message answer = ask(rig, post("once"));
  CHECK(answer.status() == 502);
  CHECK(first.requests() + second.requests() == 1);
}

TEST_CASE("a POST that was certainly not sent is repeated with its body") {
  Listener nobody;
  FakeWorker good(answers(std::string(kOk)));
  Rig rig({{{nobody.address(), good.address()}}});
  CHECK(ask(rig, post("payload")).status() == 200);
  REQUIRE(good.requests() == 1);
  CHECK(good.seen()[0].body == "payload");
}

TEST_CASE("a POST of which the worker's kernel took no byte is repeated, on a new connection only (P25)") {
  const auto deaf = [](engine::BufferPool& buffers) {
    auto engine = std::make_unique<DeferringEngine>(buffers);
    engine->acknowledge_nothing();
    return std::unique_ptr<engine::Engine>(std::move(engine));
  };
  for (const bool reused : {false, true}) {
    FakeWorker first([&](FakeWorker::Call& call) {
      if (reused && call.number() == 1 && call.next()) call.write(kOk);
      call.next();
    });
    FakeWorker second(answers(std::string(kOk)));
    Plan plan{{{first.address()}}};
    Rig rig(plan, {.make_engine = deaf});
    if (reused) CHECK(rig.get().status() == 200);
    plan.versions[0].push_back(second.address());
    ++plan.number;
    if (!reused) rig.apply(plan);
    const int before = first.requests();
    CHECK(ask(rig, post("payload")).status() == (reused ? 502 : 200));
    CHECK(first.requests() + second.requests() <= before + 2);
  }
}

TEST_CASE("a PUT is repeated with its body while that is small enough to be kept") {
  FakeWorker bad(closes()), good(answers(std::string(kOk)));
  Rig rig({{{bad.address(), good.address()}}});
  const std::string small(10'000, 's'), large(40'000, 'l');
  CHECK(ask(rig, post(small, "PUT")).status() == 200);
  REQUIRE(good.requests() == 1);
  CHECK(good.seen()[0].body == small);
  CHECK(bad.requests() == 1);
  let_pass(Duration{1'100});  // the first worker is no longer avoided
  CHECK(ask(rig, post(large, "PUT")).status() == 502);
}

TEST_CASE("a body that continues while its request is repeated arrives whole") {
  Gate gate;
  FakeWorker bad([](FakeWorker::Call& call) {
    Message head;
    std::string part;
    if (call.read_head(head)) call.read_exactly(3, part);
  });
  FakeWorker good(answers(std::string(kOk)));
  Rig rig({{{bad.address(), good.address()}}});
  Wire client = rig.dial();
  const std::string rest(300'000, 'r');
  client.write("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 300003\r\n\r\nabc");
  REQUIRE(eventually([&] { return good.connections() == 1; }));
  client.write(rest);
  CHECK(client.read_answer().status() == 200);
  REQUIRE(good.requests() == 1);
  CHECK(good.seen()[0].body == "abc" + rest);
}

TEST_CASE("while a request is repeated, its body is not read from the client") {
  FakeWorker bad([](FakeWorker::Call& call) {
    Message head;
    call.read_head(head);
  });
  Listener full;
  full.listen(0);
  const Wire fills_it = dial(full.address());
  Limits limits;
  limits.connect_timeout = Duration{60'000};
  Rig rig({{{bad.address(), full.address()}}, limits}, {.budget = 1 << 20});
  Wire client = rig.dial();
  client.write("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999\r\n\r\n");
  REQUIRE(eventually([&] { return rig.sockets(1) == 1 && rig.sockets(0) == 0; }));
  const timeval brief{0, 300'000};
  REQUIRE(setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof brief) == 0);
  CHECK_FALSE(client.write(std::string(32 << 20, 'x')));
  CHECK(errno == EAGAIN);
  CHECK(rig.totals().in_flight == 1);
}

TEST_CASE("a worker that does not accept in time is a 504") {
  Listener full;
  full.listen(0);
  const Wire fills_it = dial(full.address());
  Limits limits;
  limits.connect_timeout = Duration{150};
  Rig rig({{{full.address()}}, limits});
  const Message answer = rig.get();
  CHECK(answer.status() == 504);
  CHECK(answer.field("x-gray-reason") == "connect-timeout");
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));
}

TEST_CASE("a worker that does not answer in time is a 504, not repeated, and its socket is closed") {
  FakeWorker silent(keeps_silent());
  Limits limits;
  limits.request_timeout = Duration{150};
  Rig rig({{{silent.address()}}, limits});
  const Message answer = rig.get();
  CHECK(answer.status() == 504);
  CHECK(answer.field("x-gray-reason") == "response-timeout");
  CHECK(silent.requests() == 1);
  CHECK(eventually([&] { return silent.open() == 0; }));
  CHECK(rig.totals().errors == 1);
}

TEST_CASE("an answer that stops halfway is cut off after the deadline (P27)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    call.next();
  });
  Limits limits;
  limits.request_timeout = Duration{600};
  limits.idle_timeout = Duration{600};
  Rig rig({{{worker.address()}}, limits});
  Wire client = rig.dial();
  client.write(Rig::request_for());
  CHECK_FALSE(client.read_answer().complete);
  CHECK(client.end() == Wire::End::reset);
}

TEST_CASE("a client that pauses within its body is not a failure of the worker") {
  FakeWorker worker(answers(std::string(kOk)));
  Limits limits;
  limits.request_timeout = Duration{400};
  Rig rig({{{worker.address()}}, limits});
  const std::string half(20'000, 'h');
  Wire small = rig.dial(), large = rig.dial();
  small.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\nhalf");
  large.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 40000\r\n\r\n" + half);
  let_pass(Duration{1'000});
  small.write("half");
  large.write(half);
  CHECK(small.read_answer().status() == 200);
  CHECK(large.read_answer().status() == 200);
  CHECK(worker.requests() == 2);
}

TEST_CASE("a worker that stops reading a body is a failure of the worker") {
  Gate gate;
  FakeWorker worker([&](FakeWorker::Call& call) {
    Message head;
    if (call.read_head(head)) gate.wait();
  });
  Limits limits;
  limits.request_timeout = Duration{200};
  Rig rig({{{worker.address()}}, limits});
  Wire client = rig.dial();
  std::thread sender([&] { client.write(post(std::string(32 << 20, 'x'))); });
  const Message answer = client.read_answer();
  CHECK(answer.status() == 504);
  CHECK(answer.field("x-gray-reason") == "response-timeout");
  gate.open();
  sender.join();
}

TEST_CASE("a worker that answers before it has read the body: the client gets the answer, then the end (P23)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    Message head;
    if (!call.read_head(head)) return;
    call.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    call.read_rest();
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  // Never sent completely, so that the answer is early in any case.
  client.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9999999\r\n\r\n" + std::string(200'000, 'x'));
  const Message answer = client.read_answer();
  CHECK(answer.status() == 403);
  CHECK(answer.body == "no");
  CHECK(answer.field("connection") == "close");
  CHECK(client.read_rest().empty());
  CHECK(client.end() == Wire::End::closed);
  CHECK(eventually([&] { return rig.sockets(0) == 0; }));
}

TEST_CASE("an early answer is passed on even if the worker then resets the connection") {
  FakeWorker worker([](FakeWorker::Call& call) {
    Message head;
    if (!call.read_head(head)) return;
    call.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  });
  Rig rig({{{worker.address()}}});
  int heard = 0;
  for (int i = 0; i < 20; ++i) {
    Wire client = rig.dial();
    std::thread sender([&] { client.write(post(std::string(1'000'000, 'x'))); });
    const Message answer = client.read_answer();
    heard += answer.status() == 413 && answer.body == "no" ? 1 : 0;
    sender.join();
  }
  CHECK(heard == 20);
}

TEST_CASE("an early answer that ends after the upload is an ordinary one") {
  FakeWorker worker([](FakeWorker::Call& call) {
    Message head;
    std::string body;
    if (!call.read_head(head)) return;
    call.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok");
    if (call.read_exactly(40'000, body)) call.write("ok");
    call.next();
  });
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  const std::string half(20'000, 'h');
  client.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 40000\r\n\r\n" + half);
  Message head;
  REQUIRE(client.read_head(head));
  CHECK(head.status() == 200);
  client.write(half);
  CHECK(client.read_rest() == "okok");
}

TEST_CASE("a request that waits too long for a socket is a 503 with its own reason") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Rig rig({{{worker.address()}}, one_socket(256, Duration{150})});
  Wire first = rig.dial();
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  const Message answer = rig.get();
  CHECK(answer.status() == 503);
  CHECK(answer.field("x-gray-reason") == "queue-timeout");
  CHECK(answer.field("retry-after") == "1");
  CHECK(rig.waiting() == 0);
  CHECK(rig.totals().errors == 0);
  gate.open();
  CHECK(first.read_answer().status() == 200);
}

TEST_CASE("a client that leaves while it waits leaves the queue at once") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Rig rig({{{worker.address()}}, one_socket(1)});
  Wire first = rig.dial(), leaving = rig.dial(), staying = rig.dial();
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  leaving.write(Rig::request_for());
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  CHECK(rig.get().field("x-gray-reason") == "queue-full");
  leaving.close();
  REQUIRE(eventually([&] { return rig.waiting() == 0; }));
  staying.write(Rig::request_for());
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  gate.open();
  CHECK(staying.read_answer().status() == 200);
  CHECK(worker.requests() == 2);
  CHECK(rig.reason(Reason::client_gone) == 1);
}

TEST_CASE("a client that ends its side before the first byte of its answer") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  SUBCASE("by a reset: it takes its worker's socket with it") {
    client.reset();
    CHECK(eventually([&] { return rig.sockets(0) == 0; }));
    CHECK(rig.idle_sockets() == 0);
    CHECK(rig.reason(Reason::client_gone) == 1);
    CHECK(rig.totals().errors == 0);
    CHECK(rig.totals().in_flight == 0);
    gate.open();
  }
  SUBCASE("by a FIN: it gets its answer, and the end of the connection") {
    client.finish_writing();
    let_pass(Duration{50});
    CHECK(rig.sockets(0) == 1);
    gate.open();
    CHECK(client.read_answer().status() == 200);
    CHECK(client.read_rest().empty());
    CHECK(client.end() == Wire::End::closed);
  }
}

TEST_CASE("a client that sends FIN while it waits is answered, unless requests wait for long") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Rig rig({{{worker.address()}}, one_socket(256)});
  Wire first = rig.dial(), waits = rig.dial();
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  waits.write(Rig::request_for());
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  waits.finish_writing();
  SUBCASE("short") {
    gate.open();
    CHECK(waits.read_answer().status() == 200);
  }
  SUBCASE("long") {
    CHECK(eventually([&] { return rig.waiting() == 0; }));
    CHECK(rig.reason(Reason::client_gone) == 1);
    CHECK(rig.sockets(0) == 1);
    gate.open();
  }
}

TEST_CASE("a request that waited is sent unchanged, even if the limits have changed since") {
  Gate gate;
  FakeWorker worker(answers_after(gate));
  Rig rig({{{worker.address()}}, one_socket()});
  Wire first = rig.dial(), second = rig.dial();
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  std::string fields;
  for (int i = 0; i < 50; ++i) fields += "f" + std::to_string(i) + ": v\r\n";
  second.write(Rig::request_for("/kept", fields));
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  Plan stricter{{{worker.address()}}, one_socket()};
  stricter.limits.fields = 10;
  stricter.number = 2;
  rig.apply(stricter);
  gate.open();
  CHECK(second.read_answer().status() == 200);
  REQUIRE(worker.requests() == 2);
  CHECK(worker.seen()[1].has("GET /kept "));
  CHECK(worker.seen()[1].field("f49") == "v");
}
