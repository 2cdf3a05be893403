#include "router/backends/outbox.hpp"

#include <doctest/doctest.h>

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
  outbox.append(kFirst, large, " end");
  REQUIRE(engine.sent.size() == 1);
  CHECK(engine.sent[0].bytes == "head " + large + " end");
  outbox.append(kSecond, "b");
  outbox.append(kFirst, large);
  REQUIRE(engine.sent.size() == 3);
  CHECK(engine.sent[1].stream == kSecond);
  CHECK(engine.sent[2].stream == kFirst);
  CHECK(engine.sent[2].bytes == large);
  outbox.append(kFirst, "small", " end");
  outbox.flush();
  CHECK(engine.sent[3].bytes == "small end");
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
