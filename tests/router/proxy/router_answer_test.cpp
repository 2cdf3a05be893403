// The router's own answers.
#include "router/proxy/router_answer.hpp"

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {}  // namespace

TEST_CASE("OPTIONS with Max-Forwards: 0 is answered by the router (P3)") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write("OPTIONS * HTTP/1.1\r\nHost: test\r\nMax-Forwards: 0\r\n\r\n" + Rig::request_for());
  const Message answer = client.read_answer();
  CHECK(answer.status() == 200);
  CHECK(answer.field("allow") == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  CHECK(answer.field("content-length") == "0");
  CHECK(answer.field("x-gray-reason").empty());
  CHECK(client.read_answer().body == "ok");  // the connection stays open
  CHECK(worker.requests() == 1);
}

TEST_CASE("TRACE with Max-Forwards: 0 is not echoed (P3)") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({{{worker.address()}}});
  const Message answer = ask(rig, "TRACE / HTTP/1.1\r\nHost: test\r\nCookie: secret\r\nMax-Forwards: 0\r\n\r\n");
  CHECK(answer.status() == 501);
  CHECK(answer.field("x-gray-reason") == "unsupported");
  CHECK(answer.body.find("secret") == std::string::npos);
  CHECK(worker.requests() == 0);
}

TEST_CASE("after an answer as the last hop the request's body is not read as a request (P3)") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write("OPTIONS / HTTP/1.1\r\nHost: test\r\nMax-Forwards: 0\r\nContent-Length: 46\r\n\r\n" +
               Rig::request_for("/evil"));
  const Message answer = client.read_answer();
  CHECK(answer.status() == 200);
  CHECK(answer.field("connection") == "close");
  CHECK(client.read_rest().empty());
  CHECK(worker.requests() == 0);
}

TEST_CASE("an HTTP/1.0 worker does not get Expect, and the client does not wait (P23)") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
      const std::string& body = call.request.body;
      call.write("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body);
    }
  });
  Rig rig({{{worker.address()}}});
  CHECK(rig.get().status() == 200);  // so that its version is known
  Wire client = rig.dial();
  client.write("POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(client.read_answer().status() == 100);
  client.write("body");
  CHECK(client.read_answer().body == "body");
  REQUIRE(worker.requests() == 2);
  CHECK(worker.seen()[1].field("expect").empty());
}

TEST_CASE("an answer has the status of its reason, and the text of the fault if there was one") {
  using segment::Reason;
  const http::LocalAnswer full = proxy::router_answer(Reason::queue_full, "");
  CHECK(full.status == 503);
  CHECK(full.reason == "queue-full");
  CHECK(full.detail == "all sockets are busy and the queue is full");
  CHECK(full.retry_after == 1);
  const http::LocalAnswer refused = proxy::router_answer(Reason::bad_request, "bare LF");
  CHECK(refused.status == 400);
  CHECK(refused.detail == "bare LF");
  CHECK(refused.retry_after == 0);
  CHECK(proxy::router_answer(Reason::none, "").status == 200);
}

TEST_CASE("a fault of a request has the reason of its status") {
  CHECK(proxy::reason_of({.status = 431}) == segment::Reason::head_too_large);
  CHECK(proxy::reason_of({.status = 505}) == segment::Reason::version_unsupported);
  CHECK(proxy::reason_of({.status = 400}) == segment::Reason::bad_request);
}
