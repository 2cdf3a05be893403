#include "router/wire/websocket_frames.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

using namespace gray::http;

namespace {

std::string frame(unsigned opcode, std::size_t length, bool masked, int form = -1) {
  std::string bytes(1, static_cast<char>(opcode));
  if (form < 0) form = length < 126 ? 0 : length < 65536 ? 2 : 8;
  const std::size_t code = form == 0 ? length : form == 2 ? 126 : 127;
  bytes += static_cast<char>(code | (masked ? 0x80 : 0));
  for (int shift = 8 * (form - 1); shift >= 0; shift -= 8) bytes += static_cast<char>(length >> shift & 0xff);
  if (masked) bytes += "\x01\x88\xff\x08";
  return bytes + std::string(length, '\x88');  // payload that looks like Close frames
}

std::string going_away(std::string_view mask) {
  std::array<char, kMaxCloseFrame> out;
  return {out.data(), write_going_away(mask, out.data())};
}

}  // namespace

TEST_CASE("a boundary is where a frame has ended and the next has not begun") {
  for (const std::size_t length : {0, 1, 125, 126, 127, 65535, 65536, 70000}) {
    for (const bool masked : {false, true}) {
      CAPTURE(length);
      CAPTURE(masked);
      const std::string bytes = frame(0x82, length, masked);
      WebSocketFrames frames;
      CHECK(frames.at_boundary());
      for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
        frames.feed({bytes.data() + i, 1});
        REQUIRE_FALSE(frames.at_boundary());
      }
      frames.feed({bytes.data() + bytes.size() - 1, 1});
      CHECK(frames.at_boundary());
      CHECK_FALSE(frames.closed());
    }
  }
}

TEST_CASE("lengths in a longer form than necessary are read too") {
  for (const int form : {0, 2, 8}) {
    WebSocketFrames frames;
    frames.feed(frame(0x81, 5, true, form) + frame(0x81, 0, false, form));
    CHECK(frames.at_boundary());
  }
}

TEST_CASE("a Close frame is recognised by its header, in both directions") {
  for (const bool masked : {false, true}) {
    WebSocketFrames frames;
    frames.feed(frame(0x89, 4, masked));
    CHECK_FALSE(frames.closed());
    frames.feed(frame(0x88, 2, masked));
    CHECK(frames.closed());
    CHECK(frames.at_boundary());
    frames.feed(frame(0x82, 2, masked));
    CHECK(frames.closed());
  }
}

TEST_CASE("after an impossible length there is no boundary any more") {
  WebSocketFrames frames;
  frames.feed("\x82\x7f\x80");
  CHECK_FALSE(frames.at_boundary());
  frames.feed(std::string(7, '\0'));
  CHECK_FALSE(frames.at_boundary());
  frames.feed(frame(0x88, 0, false));
  CHECK_FALSE(frames.at_boundary());
  CHECK_FALSE(frames.closed());
  WebSocketFrames longest;
  longest.feed("\x82\x7f\x7f" + std::string(7, '\xff'));
  CHECK_FALSE(longest.at_boundary());
}

TEST_CASE("boundaries of random frames in random pieces are found exactly") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    std::vector<bool> boundary(1, true), closed(1, false);
    bool close_seen = false;
    for (int count = static_cast<int>(random() % 12); count >= 0; --count) {
      const unsigned opcodes[] = {0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0xc1};
      const std::size_t lengths[] = {0, random() % 126, random() % 300, random() % 70'000};
      const unsigned opcode = opcodes[random() % std::size(opcodes)];
      const std::string one = frame(opcode, lengths[random() % std::size(lengths)], (random() & 1) != 0);
      bytes += one;
      boundary.resize(bytes.size() + 1, false);
      boundary.back() = true;
      close_seen = close_seen || (opcode & 0x0f) == 8;
      closed.resize(bytes.size() + 1, closed.back());
      closed.back() = close_seen;
    }
    WebSocketFrames frames;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t piece =
          std::min<std::size_t>(1 + random() % (random() % 3 == 0 ? 20'000 : 9), bytes.size() - at);
      frames.feed({bytes.data() + at, piece});
      at += piece;
      REQUIRE(frames.at_boundary() == boundary[at]);
      if (boundary[at]) REQUIRE(frames.closed() == closed[at]);
    }
  }
}

TEST_CASE("write_going_away() writes a Close frame, masked towards a worker") {
  CHECK(going_away({}) == std::string("\x88\x02\x03\xe9", 4));
  const std::string masked = going_away("abcd");
  REQUIRE(masked.size() == 8);
  CHECK(masked.substr(0, 6) ==
        "\x88\x82"
        "abcd");
  CHECK(static_cast<char>(masked[6] ^ 'a') == '\x03');
  CHECK(static_cast<char>(masked[7] ^ 'b') == '\xe9');
  WebSocketFrames frames;
  frames.feed(masked);
  CHECK(frames.at_boundary());
  CHECK(frames.closed());
}
