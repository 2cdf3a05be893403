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

TEST_CASE("when the room is used up the gathered bytes go out first, and larger payload goes out by itself") {
  SendLog engine;
  Outbox outbox(engine);
  const std::string most(Outbox::kCapacity - 1, 'x'), huge(Outbox::kCapacity + 1, 'y');
  outbox.append(kFirst, most);
  outbox.append(kFirst, "zz");
  REQUIRE(engine.sent.size() == 1);
  CHECK(engine.sent[0].bytes == most);
  outbox.append(kFirst, huge);
  REQUIRE(engine.sent.size() == 3);
  CHECK(engine.sent[1].bytes == "zz");
  CHECK(engine.sent[2].bytes == huge);
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
