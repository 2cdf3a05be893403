#include "router/h2/head_encoder.hpp"

#include <doctest/doctest.h>

#include <string>

#include "router/h2/frame.hpp"
#include "tests/router/h2/field_list.hpp"

using namespace gray::h2;

namespace {

struct Frames {
  std::string fields;
  std::size_t count = 0;
  bool end_stream = false;
};

/// Reads HEADERS and CONTINUATION of stream 5 as a client does.
Frames read_frames(std::string_view bytes, std::uint32_t largest = kFrameSize) {
  Frames frames;
  std::string block;
  bool end_headers = false;
  while (!bytes.empty()) {
    REQUIRE(!end_headers);
    REQUIRE(bytes.size() >= kFrameHead);
    const FrameHead head = read_frame_head(bytes.data());
    CHECK(head.stream == 5);
    CHECK(head.type == (frames.count == 0 ? FrameType::headers : FrameType::continuation));
    CHECK(head.length <= largest);
    REQUIRE(bytes.size() >= kFrameHead + head.length);
    if (frames.count == 0) frames.end_stream = head.has(flag::end_stream);
    end_headers = head.has(flag::end_headers);
    block += bytes.substr(kFrameHead, head.length);
    bytes.remove_prefix(kFrameHead + head.length);
    ++frames.count;
  }
  CHECK(end_headers);
  HpackDecoder decoder;
  StringRoom room(1024 * 1024);
  FieldList list;
  REQUIRE(decoder.decode(block, room, list) == nullptr);
  frames.fields = list.text;
  return frames;
}

std::string head_frames(const HeadersFrames& frames, std::string_view text) {
  std::string out(headers_bound(text.size()), '?');
  const std::size_t size = write_head_frames(frames, text, out.data());
  REQUIRE(size <= out.size());
  return out.substr(0, size);
}

}  // namespace

TEST_CASE("A response head becomes one HEADERS frame, without the fields of a connection") {
  const std::string bytes = head_frames({5, false},
                                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                                        "Transfer-Encoding: chunked\r\nUpgrade: x\r\nKeep-Alive: 5\r\n"
                                        "Proxy-Connection: x\r\nX-A:  b \r\nSet-Cookie: a=b\r\n\r\n");
  const Frames frames = read_frames(bytes);
  CHECK(frames.fields == ":status: 200\ncontent-type: text/plain\nx-a: b\nset-cookie: a=b\n");
  CHECK(frames.count == 1);
  CHECK(!frames.end_stream);
}

TEST_CASE("END_STREAM is on HEADERS") {
  CHECK(read_frames(head_frames({5, true}, "HTTP/1.1 204 No Content\r\n\r\n")).end_stream);
  CHECK(read_frames(head_frames({5, true}, "HTTP/1.1 103 \r\n\r\n")).fields == ":status: 103\n");
}

TEST_CASE("A block that is larger than a frame continues in others") {
  for (const std::size_t size : {16000, 16370, 16384, 16400, 33000, 70000}) {
    const std::string value(size, 'v');
    const Frames frames = read_frames(head_frames({5, true}, "HTTP/1.1 200 OK\r\nA: " + value + "\r\nB: c\r\n\r\n"));
    CHECK(frames.fields == ":status: 200\na: " + value + "\nb: c\n");
    CHECK(frames.end_stream);
    CHECK(frames.count == (size + 11 + kFrameSize - 1) / kFrameSize);
  }
}

TEST_CASE("A size update is the beginning of a block, if one is due") {
  const std::string bytes = head_frames({5, false, true}, "HTTP/1.1 200 OK\r\n\r\n");
  CHECK(bytes.substr(kFrameHead) == "\x20\x88");
  CHECK(read_frames(bytes).fields == ":status: 200\n");
}

TEST_CASE("Many small fields stay within the bound") {
  std::string text = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 5000; ++i) text += "a:\r\n";
  const Frames frames = read_frames(head_frames({5, false}, text + "\r\n"));
  CHECK(frames.fields.size() == 13 + 5000 * 4);
  std::string long_names = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 200; ++i) long_names += std::string(127, 'n') + ":\r\n";
  read_frames(head_frames({5, false}, long_names + "\r\n"));
}

TEST_CASE("Trailers become HEADERS without a status") {
  const std::string text = "Grpc-Status: 0\r\nX: y\r\n";
  std::string out(headers_bound(text.size()), '?');
  out.resize(write_trailer_frames({5, true}, text, out.data()));
  CHECK(read_frames(out).fields == "grpc-status: 0\nx: y\n");
  CHECK(read_frames(out).end_stream);
}
