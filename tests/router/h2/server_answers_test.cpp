// Answers: heads, payload, trailers, and those of the router itself.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "tests/router/h2/conversation.hpp"

using namespace gray;
using namespace gray::h2;

namespace {

std::unique_ptr<http::ResponseHead> parsed_response(std::string_view text) {
  auto head = std::make_unique<http::ResponseHead>();
  http::Fault fault;
  REQUIRE(http::parse_response(text, {}, http::Method::get, *head, fault) == http::Parse::complete);
  return head;
}

Conversation& asked(Conversation& c) {
  c.greet().receive(headers(1, kGetBlock));
  return c;
}

}  // namespace

TEST_CASE("A worker's answer has the fields that it has in HTTP/1.1, but for those of the connection") {
  Conversation c;
  asked(c);
  const auto head = parsed_response(
      "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close, X-Hop\r\nX-Hop: "
      "1\r\nX-Gray-Version: forged\r\nSet-Cookie: a=b\r\n\r\n");
  c.machine.send_head(c.stream(1), *head, {.request_id = "id", .version = "v2"}, "Tue, 01 Dec 2026 00:00:00 GMT",
                      false);
  CHECK(c.frames() ==
        "HEADERS 1 :status: 404,content-type: text/plain,set-cookie: a=b,date: Tue, 01 Dec 2026 00:00:00 GMT,"
        "via: 1.1 grayd,x-request-id: id,x-gray-version: v2,content-length: 5,\n");
}

TEST_CASE("A body of unknown length has no framing field") {
  Conversation c;
  asked(c);
  c.answer(c.stream(1), false);
  CHECK(c.machine.send_data(c.stream(1), "a", false) == 1);
  CHECK(c.machine.send_data(c.stream(1), "", false) == 0);
  CHECK(c.machine.send_data(c.stream(1), "", true) == 0);
  CHECK(c.frames() == "HEADERS 1 :status: 200,via: 1.1 grayd,\nDATA 1 a\nDATA 1  end\n");
}

TEST_CASE("Interim answers precede the final one") {
  Conversation c;
  asked(c);
  c.machine.send_continue(c.stream(1));
  c.machine.send_interim(c.stream(1), *parsed_response("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"));
  c.answer(c.stream(1), true, 204);
  CHECK(c.frames() ==
        "HEADERS 1 :status: 100,via: 1.1 grayd,\nHEADERS 1 :status: 103,link: </a>,via: 1.1 grayd,\n"
        "HEADERS 1 :status: 204,via: 1.1 grayd, end\n");
}

TEST_CASE("Payload is framed in pieces of 16 KiB") {
  Conversation c;
  asked(c);
  c.answer(c.stream(1), false);
  c.frames();
  CHECK(c.machine.send_data(c.stream(1), std::string(40000, 'x'), true) == 40000);
  CHECK(c.frames() == "DATA 1 16384 bytes\nDATA 1 16384 bytes\nDATA 1 7232 bytes end\n");
}

TEST_CASE("After the end of an answer, or a reset, nothing is sent") {
  Conversation c;
  c.greet().receive(headers(1, kGetBlock) + headers(3, kGetBlock));
  c.answer(c.stream(1), true);
  c.machine.reset(c.stream(3), ErrorCode::internal_error);
  c.frames();
  for (const std::uint32_t id : {1U, 3U}) {
    c.answer(c.stream(id), true);
    CHECK(c.machine.send_data(c.stream(id), "abc", true) == 3);
    c.machine.send_trailers(c.stream(id), "A: b\r\n\r\n");
    CHECK(c.machine.sendable(c.stream(id)) == 0);
    c.machine.reset(c.stream(id), ErrorCode::cancel);
  }
  CHECK(c.frames().empty());
}

TEST_CASE("Trailers end an answer; those that are not forwarded are left out (P21)") {
  Conversation c;
  c.greet().receive(headers(1, kGetBlock) + headers(3, kGetBlock));
  c.answer(c.stream(1), false);
  c.answer(c.stream(3), false);
  c.frames();
  c.machine.send_trailers(c.stream(1), "Grpc-Status: 0\r\nContent-Length: 5\r\n\r\n");
  c.machine.send_trailers(c.stream(3), "Content-Length: 5\r\n\r\n");
  CHECK(c.frames() == "HEADERS 1 grpc-status: 0, end\nDATA 3  end\n");
}

TEST_CASE("An answer of the router is a head and a text") {
  Conversation c;
  asked(c);
  std::array<char, http::kMaxLocalAnswer> text;
  const http::LocalAnswer answer{.status = 503, .reason = "overloaded", .detail = "no memory", .close = true};
  CHECK(c.machine.send_answer(c.stream(1), answer, "now", text).empty());
  const std::string frames = c.frames();
  CHECK(
      frames.starts_with("HEADERS 1 :status: 503,date: now,content-type: text/plain; charset=utf-8,content-length: "));
  CHECK(frames.find("x-gray-reason: overloaded") != std::string::npos);
  CHECK(frames.find("connection") == std::string::npos);
  CHECK(frames.ends_with("DATA 1 503 Service Unavailable: no memory\n end\n"));
}

TEST_CASE("An answer of the router without text ends with its head") {
  Conversation c;
  asked(c);
  std::array<char, http::kMaxLocalAnswer> text;
  CHECK(c.machine.send_answer(c.stream(1), {.status = 503, .head_request = true}, "", text).empty());
  CHECK(c.frames().ends_with(", end\n"));
}

TEST_CASE("The text of an answer waits for a window") {
  Conversation c;
  c.greet(setting(Setting::initial_window_size, 10)).receive(headers(1, kGetBlock));
  std::array<char, http::kMaxLocalAnswer> text;
  const std::string_view rest = c.machine.send_answer(c.stream(1), {.status = 404, .detail = "gone"}, "", text);
  CHECK(rest == "und: gone\n");
  CHECK(c.frames().ends_with("\nDATA 1 404 Not Fo\n"));
  c.receive(window_update(1, 100));
  CHECK(c.machine.send_data(c.stream(1), rest, true) == rest.size());
  CHECK(c.frames() == "DATA 1 und: gone\n end\n");
}

TEST_CASE("A head larger than a frame is continued") {
  Conversation c;
  asked(c);
  const auto head = std::make_unique<http::Response>();
  head->status = 200;
  const std::string value(20000, 'v');
  head->fields.items[head->fields.count++] = {http::Name::other, "x", value};
  head->size = 20100;
  c.machine.send_head(c.stream(1), *head, {}, {}, true);
  const FrameHead first = read_frame_head(c.out.data());
  CHECK(first.length == 16384);
  CHECK(!first.has(flag::end_headers));
  CHECK(read_frame_head(c.out.data() + kFrameHead + 16384).type == FrameType::continuation);
  c.out.clear();
}
