#include "router/h2/frame.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray::h2;

namespace {

ErrorCode checked(FrameType type, std::uint32_t length, std::uint32_t stream, std::uint8_t flags = 0) {
  return check_frame({length, type, flags, stream}, kFrameSize).code;
}

}  // namespace

TEST_CASE("A frame head is read as it was written") {
  for (const FrameHead head : {FrameHead{0, FrameType::data, 0, 1}, FrameHead{16384, FrameType::headers, 0x25, 3},
                               FrameHead{kMaxFrameSize, static_cast<FrameType>(0xff), 0xff, kMaxStreamId}}) {
    std::string bytes(kFrameHead, '?');
    CHECK(write_frame_head(head, bytes.data()) == bytes.data() + kFrameHead);
    CHECK(read_frame_head(bytes.data()) == head);
  }
  const std::string known("\x00\x01\x02\x08\x00\x80\x00\x00\x07", 9);  // the reserved bit is ignored
  CHECK(read_frame_head(known.data()) == FrameHead{258, FrameType::window_update, 0, 7});
}

TEST_CASE("Numbers are read as they were written, the first byte first") {
  std::string bytes(4, '?');
  write_32(0x80ff0102, bytes.data());
  CHECK(bytes == std::string("\x80\xff\x01\x02"));
  CHECK(read_32(bytes.data()) == 0x80ff0102);
  CHECK(read_16(bytes.data() + 1) == 0xff01);
}

TEST_CASE("A frame has a size of its type") {
  CHECK(checked(FrameType::data, 0, 1) == ErrorCode::no_error);
  CHECK(checked(FrameType::data, 16384, 1) == ErrorCode::no_error);
  CHECK(checked(FrameType::data, 16385, 1) == ErrorCode::frame_size_error);
  CHECK(checked(FrameType::ping, 8, 0) == ErrorCode::no_error);
  CHECK(checked(FrameType::ping, 7, 0) == ErrorCode::frame_size_error);
  CHECK(checked(FrameType::ping, 9, 0) == ErrorCode::frame_size_error);
  CHECK(checked(FrameType::settings, 12, 0) == ErrorCode::no_error);
  CHECK(checked(FrameType::settings, 13, 0) == ErrorCode::frame_size_error);
  CHECK(checked(FrameType::settings, 0, 0, flag::ack) == ErrorCode::no_error);
  CHECK(checked(FrameType::settings, 6, 0, flag::ack) == ErrorCode::frame_size_error);
  CHECK(checked(FrameType::rst_stream, 3, 1) == ErrorCode::frame_size_error);
  CHECK(checked(FrameType::window_update, 5, 0) == ErrorCode::frame_size_error);
  CHECK(checked(FrameType::goaway, 7, 0) == ErrorCode::frame_size_error);
  CHECK(checked(FrameType::goaway, 100, 0) == ErrorCode::no_error);
  CHECK(checked(static_cast<FrameType>(10), 16384, 0) == ErrorCode::no_error);
  CHECK(checked(static_cast<FrameType>(10), 16385, 0) == ErrorCode::frame_size_error);
}

TEST_CASE("PRIORITY of a wrong size ends its stream only") {
  CHECK(check_frame({4, FrameType::priority, 0, 1}, kFrameSize).code == ErrorCode::frame_size_error);
  CHECK(!check_frame({4, FrameType::priority, 0, 1}, kFrameSize).whole_connection);
  CHECK(check_frame({4, FrameType::ping, 0, 0}, kFrameSize).whole_connection);
}

TEST_CASE("A frame is on a stream, or on the connection, as its type demands") {
  for (const FrameType type : {FrameType::data, FrameType::headers, FrameType::priority, FrameType::rst_stream,
                               FrameType::push_promise, FrameType::continuation}) {
    CHECK(checked(type, 5, 0) == ErrorCode::protocol_error);
  }
  CHECK(checked(FrameType::settings, 0, 1) == ErrorCode::protocol_error);
  CHECK(checked(FrameType::ping, 8, 1) == ErrorCode::protocol_error);
  CHECK(checked(FrameType::goaway, 8, 1) == ErrorCode::protocol_error);
  CHECK(checked(FrameType::window_update, 4, 0) == ErrorCode::no_error);
  CHECK(checked(FrameType::window_update, 4, 1) == ErrorCode::no_error);
}

TEST_CASE("An error code has the name of the RFC") {
  CHECK(name_of(ErrorCode::no_error) == "NO_ERROR");
  CHECK(name_of(ErrorCode::enhance_your_calm) == "ENHANCE_YOUR_CALM");
  CHECK(name_of(ErrorCode::http_1_1_required) == "HTTP_1_1_REQUIRED");
  CHECK(name_of(static_cast<ErrorCode>(14)) == "unknown");
}
