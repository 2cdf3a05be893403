// The kept head of a request: the facts that an exchange gets, and that it can be parsed again.
#include "router/downstream/kept_head.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "router/wire/head.hpp"

using namespace gray;
using namespace gray::proxy;

namespace {

struct Kept {
  explicit Kept(std::string text) : bytes(std::move(text)) {
    http::Fault fault;
    REQUIRE(http::parse_request(bytes, {}, *request, fault) == http::Parse::complete);
  }
  /// The bytes that were read are gone, and the scratch holds another request.
  void overwrite() {
    std::fill(bytes.begin(), bytes.end(), '?');
    head.scratch_lost();
    http::Fault fault;
    (void)http::parse_request("GET /other HTTP/1.1\r\nHost: b\r\n\r\n", {}, *request, fault);
  }

  engine::BufferPool buffers{1 << 20};
  std::unique_ptr<http::RequestHead> request = std::make_unique<http::RequestHead>();
  KeptHead head{buffers, *request};
  std::string bytes;
};

}  // namespace

TEST_CASE("the facts of a request outlive the bytes that were read") {
  Kept kept("PUT /a?b=c HTTP/1.1\r\nHost: web:80\r\nX-Request-Id: id7\r\nContent-Length: 5\r\n\r\nhello");
  REQUIRE(kept.head.keep(1));
  const RequestFacts facts = kept.head.facts(true);
  kept.overwrite();
  CHECK(facts.method == http::Method::put);
  CHECK(facts.method_text == "PUT");
  CHECK(facts.authority == "web:80");
  CHECK(facts.path == "/a?b=c");
  CHECK(facts.request_id == "id7");
  CHECK(facts.has_body);
  CHECK(facts.length == 5);
  CHECK(facts.fields == 3);
  CHECK(facts.head_bytes == kept.bytes.size() - 5);
  CHECK_FALSE(facts.last_hop);
}

TEST_CASE("an untrusted peer's request id is ignored, and an empty body counts as none") {
  Kept kept("POST / HTTP/1.1\r\nHost: a\r\nX-Request-Id: id7\r\nContent-Length: 0\r\n\r\n");
  REQUIRE(kept.head.keep(1));
  CHECK(kept.head.facts(false).request_id.empty());
  CHECK_FALSE(kept.head.facts(false).has_body);
}

TEST_CASE("facts include a forwarded upgrade, a trace, and an OPTIONS without hops left") {
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  Kept kept(
      "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
      "traceparent: 00-" +
      trace + "-00f067aa0ba902b7-01\r\n\r\n");
  REQUIRE(kept.head.keep(1));
  const RequestFacts facts = kept.head.facts(false);
  kept.overwrite();
  CHECK(facts.last_hop);
  CHECK(facts.upgrade == "websocket");
  CHECK(facts.trace_id == trace);
}

TEST_CASE("the whole head is parsed again once the scratch was used for another request") {
  Kept kept("GET /first HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
  REQUIRE(kept.head.keep(1));
  CHECK(kept.head.read().path == "/first");
  kept.overwrite();
  CHECK(kept.request->path == "/other");
  CHECK(kept.head.read().path == "/first");
  CHECK(kept.head.read().fields.count == 2);
}

TEST_CASE("a head for which there is no memory is not kept") {
  Kept kept("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  engine::BufferPool none(0);
  KeptHead head(none, *kept.request);
  CHECK_FALSE(head.keep(1));
}
