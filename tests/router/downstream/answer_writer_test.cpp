#include "router/downstream/answer_writer.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "tests/router/backends/send_log.hpp"

using namespace gray;
using namespace gray::proxy;

namespace {

struct Written {
  explicit Written(http::Version version) {
    writer.open({1, 0});
    writer.begin(version);
    head->status = 200;
    head->reason = "OK";
  }
  std::string all() {
    outbox.flush();
    std::string bytes;
    for (const auto& sent : log.sent) bytes += sent.bytes;
    return bytes;
  }

  test::SendLog log;
  Outbox outbox{log};
  DateClock date;
  AnswerWriter writer{outbox, log, date};
  std::unique_ptr<http::Response> head = std::make_unique<http::Response>();
};

}  // namespace

TEST_CASE("a body of unknown length goes out in chunks, with its trailers behind") {
  Written written(http::Version::http11);
  written.head->body = {http::Body::Kind::open, 0};
  CHECK_FALSE(written.writer.needs_close(*written.head));
  written.writer.head(*written.head, {}, false);
  written.writer.data("hello");
  SUBCASE("with trailers") {
    written.writer.trailers("X: 1\r\n");
    written.writer.end();
    CHECK(written.all().ends_with("\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n"));
  }
  SUBCASE("without") {
    written.writer.end();
    CHECK(written.all().ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
  }
}

TEST_CASE("HTTP/1.0 gets a body of unknown length as it is, and no interim answer") {
  Written written(http::Version::http10);
  written.head->body = {http::Body::Kind::open, 0};
  written.writer.send_continue();
  written.writer.interim(*written.head);
  CHECK(written.all().empty());
  CHECK(written.writer.needs_close(*written.head));
  written.writer.head(*written.head, {}, true);
  written.writer.data("hello");
  written.writer.trailers("X: 1\r\n");
  written.writer.end();
  CHECK(written.all().ends_with("Connection: close\r\n\r\nhello"));
}

TEST_CASE("a body of known length is passed on as it is, and so are bytes behind a switch of protocols") {
  Written written(http::Version::http11);
  SUBCASE("known length") {
    written.head->body = {http::Body::Kind::sized, 5};
    written.writer.head(*written.head, {}, false);
  }
  SUBCASE("switched") {
    written.head->status = 101;
    written.writer.switch_protocols(*written.head, {.upgrade = "chat/1"});
  }
  written.writer.data("hello");
  written.writer.end();
  CHECK(written.all().ends_with("\r\n\r\nhello"));
}

TEST_CASE("every answer has a Date, the worker's or ours, but an interim one has not") {
  Written written(http::Version::http11);
  written.writer.interim(*written.head);
  CHECK(written.all().find("Date:") == std::string::npos);
  written.writer.head(*written.head, {}, false);
  CHECK(written.all().find("\r\nDate: " + std::string(written.date.text({})) + "\r\n") != std::string::npos);
  Written refused(http::Version::http11);
  refused.writer.local({}, false);
  CHECK(refused.all().find("\r\nDate: ") != std::string::npos);
}
