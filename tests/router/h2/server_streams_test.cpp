// States of streams (RFC 9113 5.1).
#include <doctest/doctest.h>

#include <string>

#include "tests/router/h2/conversation.hpp"

using namespace gray;
using namespace gray::h2;

namespace {

/// A stream 1 that has ended on both sides and was released.
Conversation& ended(Conversation& c) {
  c.greet().receive(headers(1, kGetBlock));
  c.answer(c.stream(1), true);
  c.machine.release(c.stream(1));
  c.frames();
  return c;
}

}  // namespace

TEST_CASE("An idle stream gets nothing but HEADERS and PRIORITY") {
  for (const std::uint32_t id : {1U, 2U, 99U}) {
    CHECK(Conversation().greet().told(data(id, "x")) == "broken PROTOCOL_ERROR\n");
    CHECK(Conversation().greet().told(rst(id)) == "broken PROTOCOL_ERROR\n");
    CHECK(Conversation().greet().told(window_update(id, 1)) == "broken PROTOCOL_ERROR\n");
    CHECK(Conversation().greet().told(frame(FrameType::continuation, flag::end_headers, id)) ==
          "broken PROTOCOL_ERROR\n");
  }
}

TEST_CASE("Stream numbers are odd and rise") {
  CHECK(Conversation().greet().told(headers(2, kGetBlock)) == "broken PROTOCOL_ERROR\n");
  Conversation c;
  CHECK(c.greet().told(headers(5, kGetBlock)) == "request 5 GET / end\n");
  CHECK(c.told(headers(3, kGetBlock)) == "broken PROTOCOL_ERROR\n");
}

TEST_CASE("After END_STREAM the client sends nothing on its stream") {
  Conversation c;
  c.greet().receive(headers(1, kGetBlock) + headers(3, kGetBlock) + headers(5, kGetBlock));
  CHECK(c.told(data(1, "x", true)) == "reset 1 STREAM_CLOSED\n");
  CHECK(c.told(headers(3, kGetBlock)) == "reset 3 STREAM_CLOSED\n");
  CHECK(c.frames().ends_with("RST 1 STREAM_CLOSED\nRST 3 STREAM_CLOSED\n"));
  CHECK(c.told(window_update(5, 1) + frame(FrameType::priority, 0, 5, "12345")).empty());
}

TEST_CASE("On a stream that has ended DATA and HEADERS are errors of the connection") {
  Conversation a, b, c;
  CHECK(ended(a).told(data(1, "x")) == "broken STREAM_CLOSED\n");
  CHECK(ended(b).told(headers(1, kGetBlock)) == "broken STREAM_CLOSED\n");
  CHECK(ended(c).told(window_update(1, 1) + rst(1) + frame(FrameType::priority, 0, 1, "12345")).empty());
}

TEST_CASE("A stream ends with both halves, not with its release") {
  Conversation c;
  c.greet().receive(headers(1, kGetBlock) + headers(3, kPostBlock, false));
  c.answer(c.stream(1), true);
  c.answer(c.stream(3), true);
  CHECK(c.told(window_update(1, 1) + rst(1)) == "reset 1 CANCEL\n");
  CHECK(c.told(data(3, "x")) == "data 3 x\n");  // only the answer has ended
  Conversation d;
  d.greet().receive(headers(1, kGetBlock));
  d.answer(d.stream(1), true);
  CHECK(d.told(headers(1, kGetBlock)) == "broken STREAM_CLOSED\n");
}

TEST_CASE("A stream that the client has reset gets nothing more") {
  Conversation c;
  c.greet().receive(headers(1, kPostBlock, false) + rst(1));
  CHECK(c.reply(data(1, "x")) == "RST 1 STREAM_CLOSED\n");
  c.machine.release(c.stream(1));
  CHECK(c.reply(data(1, "x")) == "RST 1 STREAM_CLOSED\n");
  CHECK(c.reply(headers(1, kGetBlock)) == "RST 1 STREAM_CLOSED\n");
}

TEST_CASE("What was on its way when we reset a stream is ignored, but counts and is decoded") {
  Conversation c;
  c.greet().receive(headers(1, kPostBlock, false));
  c.machine.reset(c.stream(1), ErrorCode::cancel);
  CHECK(c.frames() == "RST 1 CANCEL\n");
  CHECK(c.told(data(1, "x") + headers(1, inserted("x", "y"))).empty());
  c.machine.release(c.stream(1));
  CHECK(c.told(data(1, "x", true)).empty());
  CHECK(c.frames().empty());
  c.receive(headers(3, kGetBlock + "\xbe"));  // the field of the trailers is in the table
  CHECK(c.last_head.ends_with("x: y\r\n\r\n"));
}

TEST_CASE("Release resets what is not complete") {
  Conversation c;
  c.greet().receive(headers(1, kPostBlock, false) + headers(3, kGetBlock) + headers(5, kPostBlock, false) +
                    headers(7, kGetBlock));
  c.answer(c.stream(3), false);
  c.answer(c.stream(5), true);
  c.answer(c.stream(7), true);
  c.frames();
  for (const std::uint32_t id : {1U, 3U, 5U, 7U}) c.machine.release(c.stream(id));
  CHECK(c.frames() == "RST 1 INTERNAL_ERROR\nRST 3 INTERNAL_ERROR\nRST 5 NO_ERROR\n");
}

TEST_CASE("At most 100 streams, also when they are reset") {
  Conversation c;
  c.greet();
  for (std::uint32_t id = 1; id <= 199; id += 2) c.receive(headers(id, kGetBlock));
  CHECK(c.machine.open_streams() == 100);
  CHECK(c.reply(headers(201, kGetBlock + inserted("x", "y"))) == "RST 201 REFUSED_STREAM\n");
  c.receive(rst(1));
  CHECK(c.reply(headers(203, kGetBlock)) == "RST 203 REFUSED_STREAM\n");
  CHECK(c.told(data(203, "x") + window_update(203, 1)).empty());
  c.machine.release(c.stream(1));
  CHECK(c.told(headers(205, kGetBlock + "\xbe")) == "request 205 GET / end\n");
  CHECK(c.last_head.ends_with("x: y\r\n\r\n"));
  CHECK(c.machine.last_stream() == 205);
}

TEST_CASE("Streams beyond the limit without end break the connection") {
  Conversation c;
  c.greet();
  std::uint32_t id = 1;
  for (; id < 10000 && !c.machine.dead(); id += 2) c.receive(headers(id, kGetBlock));
  CHECK(c.calls.ends_with("broken ENHANCE_YOUR_CALM\n"));
  CHECK(id == 1 + 2 * (100 + 200 + 1));
}

TEST_CASE("A stream may be released while the machine tells of it") {
  Conversation c;
  c.greet();
  c.release_at_request = true;
  CHECK(c.told(headers(1, kPostBlock, false) + data(1, "x", true)) == "request 1 POST /\n");
  CHECK(c.frames() == "RST 1 INTERNAL_ERROR\n");
  CHECK(c.machine.open_streams() == 0);
}

TEST_CASE("Streams that ended long ago are still closed") {
  Conversation c;
  c.greet();
  for (std::uint32_t id = 1; id < 401; id += 2) {
    c.receive(headers(id, kPostBlock, false));
    c.answer(c.stream(id), true);
    c.machine.release(c.stream(id));
  }
  CHECK(c.reply(data(1, "x")) == "RST 1 STREAM_CLOSED\n");
  CHECK(c.reply(data(399, "x")).empty());
  CHECK(c.told(headers(1, kGetBlock)) == "broken PROTOCOL_ERROR\n");
}
