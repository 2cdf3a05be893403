#include "router/h2/server_machine.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/router/h2/conversation.hpp"

using namespace gray;
using namespace gray::h2;

namespace {

const std::string kHello = std::string(kPreface) + settings();

}  // namespace

TEST_CASE("The server speaks first: SETTINGS, and the window of the connection") {
  Conversation c;
  const FrameHead head = read_frame_head(c.out.data());
  CHECK(head.type == FrameType::settings);
  const std::string payload = c.out.substr(kFrameHead, head.length);
  CHECK(payload == setting(Setting::max_concurrent_streams, 100) + setting(Setting::max_header_list_size, 32 * 1024) +
                       setting(Setting::no_rfc7540_priorities, 1));
  CHECK(c.frames() == "SETTINGS\nUPDATE 983041\n");
}

TEST_CASE("A request and its answer") {
  Conversation c;
  CHECK(c.told(kHello + headers(1, kGetBlock)) == "request 1 GET / end\n");
  CHECK(c.last_head == "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.frames() == "SETTINGS\nUPDATE 983041\nSETTINGS ack\n");
  c.answer(c.stream(1), false);
  CHECK(c.machine.send_data(c.stream(1), "hello", true) == 5);
  CHECK(c.frames() == "HEADERS 1 :status: 200,via: 1.1 grayd,\nDATA 1 hello end\n");
  c.machine.release(c.stream(1));
  CHECK(c.frames().empty());
  CHECK(c.machine.open_streams() == 0);
}

TEST_CASE("What is done for bytes does not depend on how they are cut") {
  std::string bytes = kHello + headers(1, kPostBlock, false) + data(1, "some") + data(1, " body") + ping();
  bytes += frame(FrameType::data, flag::padded, 1,
                 std::string("\x03"
                             "abc\0\0\0",
                             7));
  bytes += frame(FrameType::headers, flag::end_stream, 1, "") +
           frame(FrameType::continuation, flag::end_headers, 1, literal("x", "y"));
  bytes +=
      headers(3, inserted("x-a", "b") + kGetBlock.substr(0, 0)) + headers(5, kGetBlock) + rst(5) + window_update(0, 5);
  bytes += frame(FrameType::goaway, 0, 0, number(0) + number(0) + "debug");
  const auto joined = [](std::string text) {
    // Payload comes in other pieces.
    for (std::size_t at; (at = text.find("\ndata 1 ")) != std::string::npos;) text.erase(at, 8);
    return text;
  };
  Conversation whole;
  const std::string calls = joined(whole.told(bytes));
  const std::string written = whole.frames();
  CHECK(
      calls ==
      "request 1 POST /some bodyabc\ntrailers 1 x: y\r\n\r\n\nrequest 5 GET / end\nreset 5 CANCEL\ngoaway NO_ERROR\n");
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Conversation c;
    std::string told;
    c.receive(bytes.substr(0, cut));
    c.receive(bytes.substr(cut));
    CHECK(joined(c.calls) == calls);
    CHECK(c.frames() == written);
  }
  Conversation c;
  for (const char byte : bytes) c.receive(std::string(1, byte));
  CHECK(joined(c.calls) == calls);
  CHECK(c.frames() == written);
}

TEST_CASE("A connection that does not begin as HTTP/2 is refused") {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nXX"), std::string("\x16\x03\x01")}) {
    Conversation c;
    CHECK(c.told(bytes) == "broken PROTOCOL_ERROR\n");
    CHECK(c.machine.dead());
  }
  for (const std::string& first : {ping(), headers(1, kGetBlock), frame(FrameType::settings, flag::ack, 0)}) {
    Conversation c;
    CHECK(c.told(std::string(kPreface) + first) == "broken PROTOCOL_ERROR\n");
  }
}

TEST_CASE("After an error of the connection nothing is read and nothing is written") {
  Conversation c;
  c.greet();
  c.receive(headers(1, kGetBlock));
  CHECK(c.reply(frame(FrameType::continuation, flag::end_headers, 1)) == "GOAWAY 1 PROTOCOL_ERROR\n");
  CHECK(c.told(headers(3, kGetBlock)).empty());
  c.answer(c.stream(1), true);
  c.machine.reset(c.stream(1), ErrorCode::cancel);
  c.machine.begin_drain();
  CHECK(c.frames().empty());
  CHECK(c.last_rule == "CONTINUATION without a header block");
}

TEST_CASE("Frames are on the stream, and of the size, that their type demands") {
  const std::string wrong[] = {frame(FrameType::data, 0, 0, "x"),
                               frame(FrameType::headers, flag::end_headers, 0, kGetBlock),
                               frame(FrameType::rst_stream, 0, 0, number(0)),
                               frame(FrameType::settings, 0, 1),
                               frame(FrameType::ping, 0, 1, "12345678"),
                               frame(FrameType::goaway, 0, 1, number(0) + number(0)),
                               frame(FrameType::priority, 0, 0, "12345"),
                               frame(FrameType::push_promise, 0, 1, "1234")};
  for (const std::string& bytes : wrong) {
    CHECK(Conversation().greet().told(bytes) == "broken PROTOCOL_ERROR\n");
  }
  const std::string sizes[] = {frame(FrameType::ping, 0, 0, "1234567"),
                               frame(FrameType::settings, 0, 0, "12345"),
                               frame(FrameType::settings, flag::ack, 0, "123456"),
                               frame(FrameType::rst_stream, 0, 1, "123"),
                               frame(FrameType::window_update, 0, 0, "123"),
                               frame(FrameType::goaway, 0, 0, "1234567"),
                               frame(static_cast<FrameType>(77), 0, 0, std::string(16385, 'x')),
                               frame(FrameType::headers, flag::padded | flag::end_headers, 1),
                               frame(FrameType::headers, flag::priority | flag::end_headers, 1, "1234")};
  for (const std::string& bytes : sizes) {
    CHECK(Conversation().greet().told(bytes) == "broken FRAME_SIZE_ERROR\n");
  }
}

TEST_CASE("A header block is not interrupted") {
  const std::string begin = frame(FrameType::headers, flag::end_stream, 1, kGetBlock.substr(0, 3));
  for (const std::string& other :
       {ping(), data(1, "x"), headers(3, kGetBlock), frame(static_cast<FrameType>(99), 0, 1, "x"),
        frame(FrameType::priority, 0, 1, "12345"),
        frame(FrameType::continuation, flag::end_headers, 3, kGetBlock.substr(3))}) {
    CHECK(Conversation().greet().told(begin + other) == "broken PROTOCOL_ERROR\n");
  }
  CHECK(Conversation().greet().told(begin + frame(FrameType::continuation, flag::end_headers, 1,
                                                  kGetBlock.substr(3))) == "request 1 GET / end\n");
}

TEST_CASE("Frames of unknown types are ignored") {
  Conversation c;
  CHECK(c.greet().told(frame(static_cast<FrameType>(16), 0xff, 0, "priority update") + headers(1, kGetBlock)) ==
        "request 1 GET / end\n");
}

TEST_CASE("An orderly end has two steps, and the answer to the PING leads from one to the other") {
  Conversation c;
  c.greet().receive(headers(1, kGetBlock));
  c.machine.begin_drain();
  CHECK(c.frames() == "GOAWAY 2147483647 NO_ERROR\nPING\n");
  CHECK(c.told(headers(3, kGetBlock)) == "request 3 GET / end\n");  // it was on its way
  CHECK(c.reply(ping("wrongone", flag::ack)).empty());
  CHECK(c.reply(ping("draining", flag::ack)) == "GOAWAY 3 NO_ERROR\n");
  CHECK(c.told(headers(5, kPostBlock, false) + data(5, "x", true)).empty());  // ignored
  CHECK(c.frames().empty());
  CHECK(!c.machine.drained());
  c.answer(c.stream(1), true);
  c.answer(c.stream(3), true);
  c.machine.release(c.stream(1));
  c.machine.release(c.stream(3));
  CHECK(c.machine.drained());
}

TEST_CASE("The owner may take the second step itself, and it is taken once") {
  Conversation c;
  c.greet();
  c.machine.begin_drain();
  c.machine.begin_drain();
  c.machine.finish_drain();
  c.machine.finish_drain();
  CHECK(c.frames() == "GOAWAY 2147483647 NO_ERROR\nPING\nGOAWAY 0 NO_ERROR\n");
  CHECK(c.reply(ping("draining", flag::ack)).empty());
  CHECK(c.machine.drained());
}

TEST_CASE("The owner ends a connection with an error") {
  Conversation c;
  c.greet();
  c.machine.end(ErrorCode::enhance_your_calm, "memory is short");
  CHECK(c.out.ends_with("memory is short"));
  CHECK(c.frames() == "GOAWAY 0 ENHANCE_YOUR_CALM\n");
  CHECK(c.calls.empty());
}

TEST_CASE("An idle connection holds little memory") {
  Conversation c;
  c.greet();
  CHECK(sizeof(ServerMachine) <= 1024);
  CHECK(c.machine.memory() == 0);
  c.receive(headers(1, kGetBlock));
  c.answer(c.stream(1), true);
  c.machine.release(c.stream(1));
  CHECK(c.machine.memory() <= 64);  // the list of streams
  c.receive(frame(FrameType::headers, flag::end_headers | flag::end_stream, 3, kGetBlock).substr(0, 12));
  CHECK(c.machine.memory() > 0);
  c.receive(frame(FrameType::headers, flag::end_headers | flag::end_stream, 3, kGetBlock).substr(12));
  CHECK(c.machine.memory() <= 64);
}
