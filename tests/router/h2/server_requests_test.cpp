// HEADERS, CONTINUATION and DATA.
#include <doctest/doctest.h>

#include <string>

#include "tests/router/h2/conversation.hpp"

using namespace gray;
using namespace gray::h2;

namespace {

std::string sized(const char* length) { return kPostBlock + literal("content-length", length); }

std::string continuation(std::uint32_t stream, std::string_view block, bool end = true) {
  return frame(FrameType::continuation, end ? flag::end_headers : std::uint8_t{0}, stream, block);
}

}  // namespace

TEST_CASE("A block may be in up to eight CONTINUATION frames") {
  std::string bytes = frame(FrameType::headers, flag::end_stream, 1, kGetBlock);
  for (int i = 0; i < 7; ++i) bytes += continuation(1, literal("x", "y"), false);
  Conversation c;
  CHECK(c.greet().told(bytes + continuation(1, "")) == "request 1 GET / end\n");
  CHECK(c.machine.memory() <= 64);
  CHECK(Conversation().greet().told(bytes + continuation(1, "", false) + continuation(1, "")) ==
        "broken ENHANCE_YOUR_CALM\n");
}

TEST_CASE("A block is not larger than the limit of a head, in bytes as they come") {
  const std::string big = literal("x", std::string(16000, 'v'));
  const std::string begin = frame(FrameType::headers, flag::end_stream, 1, kGetBlock);
  Conversation c;
  CHECK(c.greet().told(begin + continuation(1, big, false) + continuation(1, big)) == "request 1 GET / end\n");
  CHECK(Conversation().greet().told(begin + continuation(1, big, false) + continuation(1, big, false) +
                                    continuation(1, big)) == "broken ENHANCE_YOUR_CALM\n");
}

TEST_CASE("A list that is too large is answered, and costs no memory (HPACK bomb)") {
  Conversation c;
  c.greet();
  std::string block = kGetBlock + inserted("x", std::string(4000, 'v'));
  block += std::string(12000, '\xbe');  // 48 MB of fields
  CHECK(c.told(headers(1, block)) == "refused 1 431 end\n");
  CHECK(c.machine.memory() < 16 * 1024);
  CHECK(c.told(headers(3, kGetBlock)) == "request 3 GET / end\n");
}

TEST_CASE("Small limits are answered, too, as long as the block is in one frame") {
  Conversation c({1000, 10});
  c.greet();
  CHECK(c.told(headers(1, kGetBlock + literal("x", std::string(5000, 'v')))) == "refused 1 431 end\n");
  std::string many = kGetBlock;
  for (int i = 0; i < 11; ++i) many += literal("x", "");
  CHECK(c.told(headers(3, many)) == "refused 3 431 end\n");
}

TEST_CASE("A malformed request is an error of its stream, and the table follows") {
  Conversation c;
  c.greet();
  CHECK(c.reply(headers(1, kGetBlock + literal("X", "y") + inserted("a", "b"))) == "RST 1 PROTOCOL_ERROR\n");
  CHECK(c.machine.open_streams() == 0);
  CHECK(c.told(data(1, "x")).empty());
  CHECK(c.told(headers(3, kGetBlock + "\xbe")) == "request 3 GET / end\n");
  CHECK(c.last_head.ends_with("a: b\r\n\r\n"));
}

TEST_CASE("A request to be answered with an error is given to the owner") {
  Conversation c;
  c.greet();
  CHECK(c.told(headers(1, kGetBlock + literal("host", "b"), false) + data(1, "x", true)) ==
        "refused 1 400\ndata 1 x end\n");
}

TEST_CASE("A broken block breaks the connection, also for a stream that is not wanted") {
  CHECK(Conversation().greet().told(headers(1, "\xff")) == "broken COMPRESSION_ERROR\n");
  Conversation c;
  c.greet().receive(headers(1, kPostBlock, false));
  c.machine.reset(c.stream(1), ErrorCode::cancel);
  CHECK(c.told(headers(1, "\xff")) == "broken COMPRESSION_ERROR\n");
}

TEST_CASE("HEADERS with padding and a priority") {
  Conversation c;
  c.greet();
  const std::uint8_t flags = flag::padded | flag::priority | flag::end_headers | flag::end_stream;
  CHECK(c.told(frame(FrameType::headers, flags, 1,
                     std::string("\x03") + number(0x80000000) + "\x10" + kGetBlock + std::string(3, '\0'))) ==
        "request 1 GET / end\n");
  CHECK(c.reply(frame(FrameType::headers, flags, 3, std::string(1, '\0') + number(3) + "\x10" + kGetBlock)) ==
        "RST 3 PROTOCOL_ERROR\n");  // depends on itself
  CHECK(c.told(frame(FrameType::headers, flag::padded | flag::end_headers, 5, "\x07" + kGetBlock)) ==
        "broken PROTOCOL_ERROR\n");
}

TEST_CASE("Trailers end a request") {
  Conversation c;
  c.greet().receive(headers(1, kPostBlock, false));
  CHECK(c.told(data(1, "x") + headers(1, literal("x-sum", "y"))) == "data 1 x\ntrailers 1 x-sum: y\r\n\r\n\n");
  c.receive(headers(3, kPostBlock, false) + headers(5, kPostBlock, false) + headers(7, sized("5"), false));
  CHECK(c.told(headers(3, literal("x", "y"), false)) == "reset 3 PROTOCOL_ERROR\n");  // without END_STREAM
  CHECK(c.told(headers(5, kGetBlock)) == "reset 5 PROTOCOL_ERROR\n");                 // pseudo-fields
  CHECK(c.told(headers(7, literal("x", "y"))) == "reset 7 PROTOCOL_ERROR\n");         // Content-Length: 5
}

TEST_CASE("DATA is as long as Content-Length") {
  Conversation c;
  c.greet();
  CHECK(c.told(headers(1, sized("5"), false) + data(1, "hel") + data(1, "lo", true)) ==
        "request 1 POST /\ndata 1 hel\ndata 1 lo end\n");
  CHECK(c.told(headers(3, sized("5"), false) + data(3, "hell", true)).ends_with("reset 3 PROTOCOL_ERROR\n"));
  CHECK(c.told(headers(5, sized("5"), false) + data(5, "hello!")).ends_with("reset 5 PROTOCOL_ERROR\n"));
  CHECK(c.told(headers(7, sized("5"), false) + data(7, "hello") + data(7, "", true)) ==
        "request 7 POST /\ndata 7 hello\ndata 7  end\n");
  CHECK(c.reply(headers(9, sized("5"), true)) == "RST 9 PROTOCOL_ERROR\n");
}

TEST_CASE("Padding is not payload, but counts against the windows and is credited at once") {
  Conversation c;
  c.consumes = false;
  c.greet().receive(headers(1, kPostBlock, false));
  const std::string padded = frame(FrameType::data, flag::padded, 1,
                                   "\x05"
                                   "abc" +
                                       std::string(5, '\0'));
  CHECK(c.told(padded) == "data 1 abc\n");
  CHECK(c.stream(1).receive.unconsumed() == 3);
  CHECK(Conversation().greet().told(headers(1, kPostBlock, false) + frame(FrameType::data, flag::padded, 1,
                                                                          "\x03"
                                                                          "ab")) ==
        "request 1 POST /\nbroken PROTOCOL_ERROR\n");
  CHECK(Conversation().greet().told(headers(1, kPostBlock, false) + frame(FrameType::data, flag::padded, 1)) ==
        "request 1 POST /\nbroken FRAME_SIZE_ERROR\n");
}

TEST_CASE("The window of a stream is opened by what is consumed, not by what came") {
  Conversation c;
  c.consumes = false;
  c.greet().receive(headers(1, kPostBlock, false));
  c.frames();
  const std::string piece(16000, 'x');
  for (int i = 0; i < 4; ++i) c.receive(data(1, piece));
  CHECK(c.frames().empty());
  CHECK(c.stream(1).receive.left() == 65535 - 64000);
  c.machine.consumed(c.stream(1), 32000);
  CHECK(c.frames().empty());
  c.machine.consumed(c.stream(1), 1000);
  CHECK(c.frames() == "UPDATE 1 33000\n");
  CHECK(c.told(data(1, piece) + data(1, piece) + data(1, piece)).ends_with("reset 1 FLOW_CONTROL_ERROR\n"));
  CHECK(c.frames() == "RST 1 FLOW_CONTROL_ERROR\n");
}

TEST_CASE("The window of the connection bounds all streams, and is opened by what a released stream held") {
  Conversation c;
  c.consumes = false;
  c.greet();
  const std::string piece(16000, 'x');
  std::uint32_t id = 1;
  for (std::size_t sent = 0; sent + 64000 <= kConnectionWindow; sent += 64000, id += 2) {
    c.receive(headers(id, kPostBlock, false));
    for (int i = 0; i < 4; ++i) c.receive(data(id, piece));
  }
  CHECK(id == 33);
  CHECK(!c.machine.dead());
  c.frames();
  for (std::uint32_t done = 1; done < 19; done += 2) c.machine.release(c.stream(done));
  CHECK(c.frames().find("UPDATE 576000\n") != std::string::npos);
  c.receive(headers(33, kPostBlock, false));
  for (int i = 0; i < 4; ++i) c.receive(data(33, piece));
  CHECK(!c.machine.dead());
  Conversation d;
  d.consumes = false;
  d.greet();
  for (std::uint32_t other = 1; other < 35; other += 2) {
    d.receive(headers(other, kPostBlock, false));
    for (int i = 0; i < 4; ++i) d.receive(data(other, piece));
  }
  CHECK(d.calls.ends_with("broken FLOW_CONTROL_ERROR\n"));
}

TEST_CASE("A frame that comes in pieces while its stream ends is counted once") {
  Conversation c;
  c.consumes = false;
  c.greet().receive(headers(1, kPostBlock, false));
  const std::string bytes = data(1, std::string(10000, 'x'));
  for (int i = 0; i < 200; ++i) {
    const auto id = static_cast<std::uint32_t>(3 + 2 * i);
    c.receive(headers(id, kPostBlock, false));
    const std::string whole = data(id, std::string(10000, 'x'));
    c.receive(whole.substr(0, 5000));
    c.answer(c.stream(id), true);
    c.machine.release(c.stream(id));
    c.receive(whole.substr(5000));
  }
  CHECK(!c.machine.dead());  // 2 MB came; the window is 1 MiB
  c.receive(bytes);
  CHECK(c.stream(1).receive.unconsumed() == 10000);
}

TEST_CASE("Frames of a stream that was reset are ignored, but not without end") {
  const std::string refused = headers(1, std::string(kGetBlock) + literal("X", "y"));  // a name in capitals
  for (const std::string& more : {headers(1, kGetBlock), data(1, "", true), data(1, "")}) {
    Conversation c;
    c.greet();
    CHECK(c.reply(refused) == "RST 1 PROTOCOL_ERROR\n");
    std::string many;
    for (int i = 0; i < 20; ++i) many += more;
    CHECK(c.reply(many).empty());
    for (int i = 0; i < 20 && !c.machine.dead(); ++i) c.receive(many);
    CHECK(c.frames().find("ENHANCE_YOUR_CALM") != std::string::npos);
  }
}
