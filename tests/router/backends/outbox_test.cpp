#include "router/backends/outbox.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "tests/router/backends/send_log.hpp"

using namespace gray;
using namespace gray::proxy;
using test::SendLog;

namespace {

constexpr engine::StreamId kFirst{1, 0}, kSecond{2, 0};

}  // namespace

TEST_CASE("bytes of one event to one stream go out in one piece") {
  SendLog engine;
  Outbox outbox(engine);
  outbox.append(kFirst, "head ");
  std::memcpy(outbox.room(kFirst, 4), "body", 4);
  outbox.commit(4);
  CHECK(engine.sent.empty());
  outbox.flush();
  REQUIRE(engine.sent.size() == 1);
  CHECK(engine.sent[0].bytes == "head body");
  CHECK(engine.sent[0].stream == kFirst);
}

TEST_CASE("a second stream flushes the first, in the order of the calls") {
  SendLog engine;
  Outbox outbox(engine);
  outbox.append(kFirst, "a");
  outbox.append(kSecond, "b");
  outbox.append(kFirst, "c");
  outbox.flush();
  REQUIRE(engine.sent.size() == 3);
  CHECK(engine.sent[0].bytes == "a");
  CHECK(engine.sent[1].stream == kSecond);
  CHECK(engine.sent[2].bytes == "c");
}

TEST_CASE("flushing nothing sends nothing") {
  SendLog engine;
  Outbox outbox(engine);
  outbox.flush();
  outbox.append(kFirst, "a");
  outbox.flush();
  outbox.flush();
  CHECK(engine.sent.size() == 1);
}

TEST_CASE("when the room is used up the gathered bytes go out first") {
  SendLog engine;
  Outbox outbox(engine);
  const std::string piece(Outbox::kCopied, 'x');
  for (std::size_t used = 0; used < Outbox::kCapacity; used += piece.size()) outbox.append(kFirst, piece);
  CHECK(engine.sent.empty());
  outbox.append(kFirst, "zz");
  REQUIRE(engine.sent.size() == 1);
  CHECK(engine.sent[0].bytes == std::string(Outbox::kCapacity, 'x'));
}

TEST_CASE("large payload is not copied: it goes out at once, between what is gathered and its end") {
  SendLog engine;
  Outbox outbox(engine);
  const std::string large(Outbox::kCopied + 1, 'y');
  outbox.append(kFirst, "head ");
  outbox.append(kFirst, large);
  REQUIRE(engine.sent.size() == 1);
  CHECK(engine.sent[0].bytes == "head " + large);
  outbox.append(kSecond, "b");
  outbox.append(kFirst, large);
  REQUIRE(engine.sent.size() == 3);
  CHECK(engine.sent[1].stream == kSecond);
  CHECK(engine.sent[2].stream == kFirst);
  CHECK(engine.sent[2].bytes == large);
}

TEST_CASE("chunks that follow each other in one event go out as one") {
  SendLog engine;
  Outbox outbox(engine);
  std::string payload;
  for (const std::size_t count : {15, 1, 239, 1, 3839, 1, 20'000}) {  // the size gets one digit more, three times
    outbox.append(kFirst, "head ");
    for (std::size_t i = 0; i < count; ++i) {
      payload += static_cast<char>('a' + payload.size() % 26);
      outbox.append_chunk(kFirst, std::string_view(payload).substr(payload.size() - 1));
    }
    outbox.flush();
    char size[17];
    std::snprintf(size, sizeof size, "%zx", payload.size());
    REQUIRE(engine.sent.size() == 1);
    CHECK(engine.sent[0].bytes == "head " + std::string(size) + "\r\n" + payload + "\r\n");
    engine.sent.clear();
    payload.clear();
  }
}

TEST_CASE("a chunk does not grow any more once it is sent, or once bytes are behind it") {
  SendLog engine;
  Outbox outbox(engine);
  outbox.append_chunk(kFirst, "ab");
  outbox.append_chunk(kFirst, "cde");
  outbox.append(kFirst, "|");
  outbox.append_chunk(kFirst, "f");
  outbox.append_chunk(kSecond, "123");  // as long as what is sent for the first stream
  outbox.append_chunk(kFirst, "ghi");
  outbox.flush();
  outbox.append_chunk(kFirst, "jkl");
  outbox.flush();
  REQUIRE(engine.sent.size() == 4);
  CHECK(engine.sent[0].bytes == "5\r\nabcde\r\n|1\r\nf\r\n");
  CHECK(engine.sent[1].bytes == "3\r\n123\r\n");
  CHECK(engine.sent[2].bytes == "3\r\nghi\r\n");
  CHECK(engine.sent[3].bytes == "3\r\njkl\r\n");
}

TEST_CASE("a large chunk is not copied, and one that the room cannot hold is sent as two") {
  SendLog engine;
  Outbox outbox(engine);
  const std::string large(Outbox::kCopied + 1, 'y'), piece(Outbox::kCopied, 'x');
  outbox.append_chunk(kFirst, "ab");
  outbox.append_chunk(kFirst, large);
  REQUIRE(engine.sent.size() == 1);
  CHECK(engine.sent[0].bytes == "2\r\nab\r\n2001\r\n" + large + "\r\n");
  for (std::size_t used = 0; used < Outbox::kCapacity; used += piece.size()) outbox.append_chunk(kFirst, piece);
  outbox.flush();
  REQUIRE(engine.sent.size() == 3);
  CHECK(engine.sent[1].bytes.starts_with("e000\r\nxxx"));
  CHECK(engine.sent[2].bytes == "2000\r\n" + piece + "\r\n");
}

TEST_CASE("a head that is larger than usual gets the requested room") {
  SendLog engine;
  Outbox outbox(engine);
  const std::string head(4 * Outbox::kCapacity, 'h');
  outbox.append(kFirst, "before ");
  std::memcpy(outbox.room(kFirst, head.size()), head.data(), head.size());
  outbox.commit(head.size());
  outbox.append(kFirst, " behind");
  outbox.flush();
  std::string all;
  for (const auto& sent : engine.sent) all += sent.bytes;
  CHECK(all == "before " + head + " behind");
}
