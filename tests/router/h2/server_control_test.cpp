// SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM and PRIORITY.
#include <doctest/doctest.h>

#include <string>

#include "tests/router/h2/conversation.hpp"

using namespace gray;
using namespace gray::h2;
using namespace std::chrono_literals;

namespace {

std::string told_of_setting(Setting name, std::uint32_t value) {
  return Conversation().greet().told(settings(setting(name, value)));
}

std::string repeated(const std::string& bytes, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += bytes;
  return all;
}

std::string priority(std::uint32_t stream, std::uint32_t depends_on) {
  return frame(FrameType::priority, 0, stream, number(depends_on) + "\x10");
}

const std::string kCalm = "broken ENHANCE_YOUR_CALM\n";

}  // namespace

TEST_CASE("SETTINGS are acknowledged") {
  Conversation c;
  CHECK(c.greet().reply(settings()) == "SETTINGS ack\n");
  CHECK(c.reply(settings(setting(static_cast<Setting>(0x99), 5))) == "SETTINGS ack\n");
  CHECK(!c.machine.acknowledged());
  CHECK(c.reply(frame(FrameType::settings, flag::ack, 0)).empty());
  CHECK(c.machine.acknowledged());
}

TEST_CASE("Settings have values that the RFC allows") {
  CHECK(told_of_setting(Setting::enable_push, 0).empty());
  CHECK(told_of_setting(Setting::enable_push, 1).empty());
  CHECK(told_of_setting(Setting::enable_push, 2) == "broken PROTOCOL_ERROR\n");
  CHECK(told_of_setting(Setting::initial_window_size, 0x7fffffff).empty());
  CHECK(told_of_setting(Setting::initial_window_size, 0x80000000) == "broken FLOW_CONTROL_ERROR\n");
  CHECK(told_of_setting(Setting::max_frame_size, 16384).empty());
  CHECK(told_of_setting(Setting::max_frame_size, 16383) == "broken PROTOCOL_ERROR\n");
  CHECK(told_of_setting(Setting::max_frame_size, 0xffffff).empty());
  CHECK(told_of_setting(Setting::max_frame_size, 0x1000000) == "broken PROTOCOL_ERROR\n");
}

TEST_CASE("A frame with more than 32 settings is refused") {
  const std::string one = setting(Setting::max_concurrent_streams, 1);
  CHECK(Conversation().greet().told(settings(repeated(one, 32))).empty());
  CHECK(Conversation().greet().told(settings(repeated(one, 33))) == kCalm);
}

TEST_CASE("A new initial window changes the windows of open streams, below zero too") {
  Conversation c;
  c.greet(setting(Setting::initial_window_size, 10)).receive(headers(1, kGetBlock));
  c.answer(c.stream(1), false);
  c.frames();
  CHECK(c.machine.send_data(c.stream(1), "0123456789abcdef", true) == 10);
  CHECK(c.frames() == "DATA 1 0123456789\n");
  CHECK(c.told(settings(setting(Setting::initial_window_size, 3))).empty());
  CHECK(c.stream(1).send.size() == -7);
  CHECK(c.told(settings(setting(Setting::initial_window_size, 10))).empty());
  CHECK(c.told(settings(setting(Setting::initial_window_size, 12))) == "window 1\n");
  CHECK(c.machine.sendable(c.stream(1)) == 2);
  c.frames();
  CHECK(c.machine.send_data(c.stream(1), "abcdef", true) == 2);
  CHECK(c.frames() == "DATA 1 ab\n");
}

TEST_CASE("A new initial window may not make a window exceed 2^31-1") {
  Conversation c;
  c.greet().receive(headers(1, kGetBlock) + window_update(1, 0x7fffffff - 65535));
  CHECK(c.told(settings(setting(Setting::initial_window_size, 65536))) == "broken FLOW_CONTROL_ERROR\n");
}

TEST_CASE("A smaller table of the peer is answered with a size update, once") {
  Conversation c;
  c.greet(setting(Setting::header_table_size, 0)).receive(headers(1, kGetBlock) + headers(3, kGetBlock));
  c.answer(c.stream(1), true);
  CHECK(c.out.substr(kFrameHead, 2) == "\x20\x88");
  CHECK(c.frames() == "HEADERS 1 :status: 200,via: 1.1 grayd, end\n");
  c.answer(c.stream(3), true);
  CHECK(c.out.substr(kFrameHead, 1) == "\x88");
}

TEST_CASE("A PING is answered with its own payload, an answer to none is not") {
  Conversation c;
  c.greet().receive(ping("abcdefgh"));
  CHECK(c.out.substr(kFrameHead) == "abcdefgh");
  CHECK(c.frames() == "PING ack\n");
  CHECK(c.reply(ping("abcdefgh", flag::ack)).empty());
}

TEST_CASE("GOAWAY of the client is passed on, and open streams go on") {
  Conversation c;
  CHECK(c.greet().told(headers(1, kGetBlock) + frame(FrameType::goaway, 0, 0, number(0) + number(2) + "text")) ==
        "request 1 GET / end\ngoaway INTERNAL_ERROR\n");
  c.answer(c.stream(1), true);
  CHECK(c.frames().ends_with("HEADERS 1 :status: 200,via: 1.1 grayd, end\n"));
}

TEST_CASE("WINDOW_UPDATE opens windows, and says so only if they were shut") {
  Conversation c;
  c.greet(setting(Setting::initial_window_size, 0)).receive(headers(1, kGetBlock));
  c.answer(c.stream(1), false);
  CHECK(c.machine.send_data(c.stream(1), "hello", true) == 0);
  CHECK(c.told(window_update(1, 2)) == "window 1\n");
  CHECK(c.told(window_update(1, 2)).empty());
  c.frames();
  CHECK(c.machine.send_data(c.stream(1), "hello", true) == 4);
  CHECK(c.told(window_update(1, 1)) == "window 1\n");
  CHECK(c.machine.send_data(c.stream(1), "o", true) == 1);
  CHECK(c.frames() == "DATA 1 hell\nDATA 1 o end\n");
  CHECK(c.told(window_update(1, 1)).empty());
}

TEST_CASE("The window of the connection holds back all streams") {
  Conversation c;
  c.greet(setting(Setting::initial_window_size, 1000000)).receive(headers(1, kGetBlock));
  c.answer(c.stream(1), false);
  CHECK(c.machine.send_data(c.stream(1), std::string(70000, 'x'), true) == 65535);
  CHECK(c.machine.connection_blocked());
  CHECK(c.told(window_update(0, 100000)) == "connection window\n");
  CHECK(c.machine.send_data(c.stream(1), std::string(70000 - 65535, 'x'), true) == 70000 - 65535);
}

TEST_CASE("WINDOW_UPDATE by 0, beyond 2^31-1, or of an idle stream") {
  CHECK(Conversation().greet().told(window_update(0, 0)) == "broken PROTOCOL_ERROR\n");
  CHECK(Conversation().greet().told(window_update(0, 0x7fffffff)) == "broken FLOW_CONTROL_ERROR\n");
  CHECK(Conversation().greet().told(window_update(1, 1)) == "broken PROTOCOL_ERROR\n");
  CHECK(Conversation().greet().told(window_update(2, 1)) == "broken PROTOCOL_ERROR\n");
  Conversation c;
  c.greet().receive(headers(1, kGetBlock) + headers(3, kGetBlock));
  CHECK(c.told(window_update(1, 0)) == "reset 1 PROTOCOL_ERROR\n");
  CHECK(c.told(window_update(3, 0x7fffffff)) == "reset 3 FLOW_CONTROL_ERROR\n");
  CHECK(c.frames() == "RST 1 PROTOCOL_ERROR\nRST 3 FLOW_CONTROL_ERROR\n");
  CHECK(c.told(window_update(1, 1) + window_update(1, 0)).empty());  // on its way when it was reset
}

TEST_CASE("RST_STREAM ends a stream, which counts until its exchange has ended") {
  Conversation c;
  c.greet().receive(headers(1, kPostBlock, false));
  CHECK(c.told(rst(1)) == "reset 1 CANCEL\n");
  CHECK(c.machine.open_streams() == 1);
  c.answer(c.stream(1), true);
  CHECK(c.frames().empty());
  CHECK(c.told(rst(1)).empty());
  c.machine.release(c.stream(1));
  CHECK(c.frames().empty());
  CHECK(c.told(rst(3)) == "broken PROTOCOL_ERROR\n");
}

TEST_CASE("A stream that depends on itself is an error of the stream; an idle one cannot be reset") {
  Conversation c;
  c.greet().receive(headers(1, kGetBlock));
  CHECK(c.told(priority(1, 3)).empty());
  CHECK(c.told(priority(7, 3)).empty());
  CHECK(c.told(priority(1, 1)) == "reset 1 PROTOCOL_ERROR\n");
  CHECK(c.told(frame(FrameType::priority, 0, 1, "1234")).empty());
  CHECK(c.frames().ends_with("RST 1 FRAME_SIZE_ERROR\n"));
  CHECK(c.told(priority(9, 9)) == "broken PROTOCOL_ERROR\n");
}

TEST_CASE("Floods of frames without use end the connection") {
  const std::string floods[] = {ping(),
                                settings(),
                                priority(1, 3),
                                window_update(0, 1),
                                data(1, ""),
                                frame(FrameType::data, flag::padded, 1, std::string("\x02\0\0", 3)),
                                frame(static_cast<FrameType>(50), 0, 0),
                                frame(FrameType::goaway, 0, 0, "12345678"),
                                ping("12345678", flag::ack)};
  for (const std::string& bytes : floods) {
    Conversation c;
    c.greet().receive(headers(1, kPostBlock, false) + repeated(bytes, 200));
    CHECK(!c.machine.dead());
    c.receive(repeated(bytes, 4));
    CHECK(c.machine.dead());
    CHECK(c.calls.ends_with(kCalm));
  }
}

TEST_CASE("The same over a long time is no flood") {
  Conversation c;
  c.greet();
  for (int i = 0; i < 2000; ++i) {
    c.now += 100ms;
    c.receive(ping());
  }
  CHECK(!c.machine.dead());
}

TEST_CASE("WINDOW_UPDATE and PING of a client that downloads are no flood") {
  Conversation c;
  c.greet(setting(Setting::initial_window_size, 10000000)).receive(headers(1, kGetBlock) + window_update(0, 100000000));
  c.answer(c.stream(1), false);
  for (int i = 0; i < 1000; ++i) {
    c.machine.send_data(c.stream(1), std::string(1000, 'x'), false);
    c.receive(repeated(window_update(0, 1000), 4) + window_update(1, 1000) + ping());
  }
  CHECK(!c.machine.dead());
}

TEST_CASE("A PRIORITY beside each request is no flood") {
  Conversation c;
  c.greet();
  for (std::uint32_t id = 1; id < 2001; id += 2) {
    c.receive(priority(id, 0) + headers(id, kGetBlock));
    c.answer(c.stream(id), true);
    c.machine.release(c.stream(id));
  }
  CHECK(!c.machine.dead());
}

TEST_CASE("Rapid reset ends the connection, by the client or by errors that it provokes") {
  for (const bool by_client : {true, false}) {
    Conversation c;
    c.greet();
    std::uint32_t id = 1;
    for (; id < 1001 && !c.machine.dead(); id += 2) {
      c.receive(headers(id, kGetBlock) + (by_client ? rst(id) : window_update(id, 0x7fffffff)));
      if (!c.machine.dead()) c.machine.release(c.stream(id));
    }
    CHECK(c.calls.ends_with(kCalm));
    CHECK(id == 203);  // 101 streams
  }
}

TEST_CASE("Replies that the client does not read end the connection") {
  Conversation c;
  c.greet(setting(Setting::initial_window_size, 1000000)).receive(headers(1, kGetBlock));
  c.reads = false;
  int pings = 0;
  for (; pings < 5000 && !c.machine.dead(); ++pings) {
    c.now += 100ms;
    c.receive(ping());
  }
  CHECK(pings == 1000);  // with the answer to SETTINGS
  CHECK(c.calls.ends_with(kCalm));
}
