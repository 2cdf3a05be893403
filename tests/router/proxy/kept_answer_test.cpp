#include "router/proxy/kept_answer.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "router/policy/asset.hpp"

using namespace gray;
using namespace gray::proxy;

namespace {

struct KeptAnswerFixture {
  engine::BufferPool buffers{1 << 20};
  KeptAnswer kept{buffers};
  std::unique_ptr<http::ResponseHead> parsed{new http::ResponseHead}, scratch{new http::ResponseHead};
  std::string received;

  /// The head has views into `received`.
  const http::ResponseHead& parse(std::string text, http::Method method = http::Method::get) {
    received = std::move(text);
    http::Fault fault;
    REQUIRE(http::parse_response(received, {SIZE_MAX, 1000}, method, *parsed, fault) == http::Parse::complete);
    return *parsed;
  }
};

}  // namespace

TEST_CASE_FIXTURE(KeptAnswerFixture, "an answer is kept with its status, its fields and its framing") {
  for (const std::string text : {"HTTP/1.1 404 Not here\r\nA:b\r\nc: \t d\r\nContent-Length: 4\r\n\r\n",
                                 "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nSet-Cookie: x=y\r\n\r\n",
                                 "HTTP/1.0 404 Gone\r\n\r\n", "HTTP/1.1 204 No Content\r\nEmpty:\r\n\r\n"}) {
    CAPTURE(text);
    const http::ResponseHead& head = parse(text);
    kept.begin(head, 1);
    kept.add("bo");
    kept.add("dy");
    CHECK_FALSE(kept.whole());
    kept.end();
    REQUIRE(kept.whole());
    const http::Response& again = kept.head(http::Method::get, *scratch);
    CHECK(again.status == head.status);
    CHECK(again.reason == head.reason);
    CHECK(again.version == head.version);
    CHECK(again.body == head.body);
    REQUIRE(again.fields.count == head.fields.count);
    for (std::size_t i = 0; i < head.fields.count; ++i) {
      CHECK(again.fields.items[i].name == head.fields.items[i].name);
      CHECK(again.fields.items[i].value == head.fields.items[i].value);
    }
    CHECK(kept.body() == "body");
  }
  kept.drop();
  CHECK(buffers.outstanding() == 0);
}

TEST_CASE_FIXTURE(KeptAnswerFixture, "the answer to HEAD keeps the length of a body that does not follow") {
  const http::ResponseHead& head = parse("HTTP/1.1 404 No\r\nContent-Length: 40\r\n\r\n", http::Method::head);
  kept.begin(head, 1);
  kept.end();
  CHECK(kept.head(http::Method::head, *scratch).body.kind == http::Body::Kind::none);
  CHECK(kept.body().empty());
}

TEST_CASE_FIXTURE(KeptAnswerFixture, "an answer that is too large or does not end is not kept, and holds no memory") {
  const http::ResponseHead& head = parse("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n");
  SUBCASE("too large") {
    kept.begin(head, 1);
    for (std::size_t i = 0; i <= policy::kDroppedBytes / 1024; ++i) kept.add(std::string(1024, 'x'));
    kept.end();
  }
  SUBCASE("it does not end") {
    kept.begin(head, 1);
    kept.add("half");
    kept.settle();
  }
  SUBCASE("the memory is used up") {
    const auto all = buffers.take((1 << 20) - 8192, 2);
    kept.begin(head, 1);
    kept.add(std::string(16'000, 'x'));
    kept.end();
  }
  SUBCASE("bytes of another answer") {
    kept.add("other");
    kept.end();
  }
  CHECK_FALSE(kept.whole());
  CHECK(buffers.outstanding() == 0);
}

TEST_CASE_FIXTURE(KeptAnswerFixture, "the bytes of a later answer are not added to one that is complete") {
  kept.begin(parse("HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n"), 1);
  kept.add("first");
  kept.end();
  kept.add("second");
  kept.settle();
  CHECK(kept.whole());
  CHECK(kept.body() == "first");
}
