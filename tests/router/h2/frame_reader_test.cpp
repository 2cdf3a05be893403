#include "router/h2/frame_reader.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray::h2;

namespace {

std::string bytes_of(FrameType type, std::string_view payload) {
  std::string out(kFrameHead, '?');
  write_frame_head({static_cast<std::uint32_t>(payload.size()), type, 0, 1}, out.data());
  return out.append(payload);
}

/// "TYPE(payload)" of each frame: DATA in pieces, type 20 not at all, everything else whole.
struct Reading {
  FrameReader reader;
  std::string text;

  void feed(std::string_view bytes) {
    while (true) {
      const FrameReader::Step step = reader.feed(bytes);
      REQUIRE(step.consumed <= bytes.size());
      bytes.remove_prefix(step.consumed);
      if (step.kind == FrameReader::Step::Kind::more) {
        CHECK(bytes.empty());
        return;
      }
      if (step.kind == FrameReader::Step::Kind::head) {
        const FrameType type = reader.head().type;
        text += std::to_string(static_cast<int>(type)) + "(";
        if (type == FrameType::data) reader.take(FrameReader::Take::pieces);
        if (type != FrameType::data && static_cast<int>(type) != 20) reader.take(FrameReader::Take::whole);
        continue;
      }
      text += step.payload;
      if (step.last) text += ")";
    }
  }
};

}  // namespace

TEST_CASE("Frames are the same wherever the bytes are cut, and after that nothing is held") {
  const std::string bytes = bytes_of(FrameType::data, "some payload") + bytes_of(FrameType::data, "") +
                            bytes_of(FrameType::ping, "12345678") + bytes_of(static_cast<FrameType>(20), "ignored") +
                            bytes_of(FrameType::settings, "") + bytes_of(FrameType::headers, "a block");
  const std::string expected = "0(some payload)0()6(12345678)20()4()1(a block)";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Reading reading;
    reading.feed(std::string(bytes.substr(0, cut)));
    reading.feed(std::string(bytes.substr(cut)));
    CHECK(reading.text == expected);
    CHECK(reading.reader.memory() == 0);
  }
  Reading reading;
  for (const char byte : bytes) reading.feed(std::string(1, byte));
  CHECK(reading.text == expected);
  CHECK(reading.reader.memory() == 0);
}

TEST_CASE("Only an incomplete frame that is taken whole is gathered, in memory of its size") {
  Reading reading;
  const std::string block(16384, 'x');
  const std::string frame = bytes_of(FrameType::headers, block);
  reading.feed(frame);
  CHECK(reading.reader.memory() == 0);
  reading.feed(frame.substr(0, 1000));
  CHECK(reading.reader.memory() == 16384);
  reading.feed(frame.substr(1000));
  CHECK(reading.reader.memory() == 0);
  reading.feed(bytes_of(FrameType::data, block).substr(0, 1000));
  CHECK(reading.reader.memory() == 0);
}
