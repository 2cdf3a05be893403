#pragma once
// A client of HTTP/2 for tests of connections: frames as they are, over a socket.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <string>

#include "router/h2/frame.hpp"
#include "router/h2/hpack_decoder.hpp"
#include "tests/router/process/rig.hpp"

namespace gray::test {

inline void answer_every_request(FakeWorker::Call& call) {
  while (call.next()) call.write(kOk);
}
inline Plan one_version(const FakeWorker& worker) { return {.versions = {{worker.address()}}}; }
inline RigOptions with_h2c() {
  RigOptions options;
  options.settings.h2c = true;
  return options;
}

class Http2Client : private h2::FieldSink {
 public:
  struct Seen {
    std::string head, body;  // "name: value CRLF", trailers included
    bool ended = false;
    std::optional<h2::ErrorCode> reset;
  };
  struct Request {
    std::string method = "GET";
    bool ends = true;
    std::string more;  // encoded fields
  };
  std::map<std::uint32_t, Seen> streams;
  int goaways = 0;
  std::uint32_t last_goaway_stream = 0;
  h2::ErrorCode goaway_code = h2::ErrorCode::no_error;

  /// `pieces`: how many bytes of the preface are sent at once.
  explicit Http2Client(Wire wire, std::size_t pieces = 1'000) : wire_(std::move(wire)) {
    wire_.write_in_pieces(h2::kPreface, pieces);
    frame({.type = h2::FrameType::settings}, "");
  }

  void frame(h2::FrameHead head, std::string_view payload) {
    std::string bytes(h2::kFrameHead, '\0');
    head.length = static_cast<std::uint32_t>(payload.size());
    h2::write_frame_head(head, bytes.data());
    wire_.write(bytes + std::string(payload));
  }
  static std::string field(std::string_view name, std::string_view value) {
    REQUIRE((name.size() < 127 && value.size() < 127));
    return std::string{'\0', static_cast<char>(name.size())} + std::string(name) + static_cast<char>(value.size()) +
           std::string(value);
  }
  void request(std::uint32_t stream, const std::string& path) { request(stream, path, Request{}); }
  void request(std::uint32_t stream, const std::string& path, const Request& request) {
    const std::string block = field(":method", request.method) + field(":scheme", "http") + field(":path", path) +
                              field(":authority", "a") + request.more;
    const std::uint8_t flags = h2::flag::end_headers | (request.ends ? h2::flag::end_stream : 0);
    frame({.type = h2::FrameType::headers, .flags = flags, .stream = stream}, block);
  }
  void data(std::uint32_t stream, std::string_view payload, bool last) {
    frame({.type = h2::FrameType::data, .flags = last ? h2::flag::end_stream : std::uint8_t{0}, .stream = stream},
          payload);
  }
  void reset(std::uint32_t stream) { frame({.type = h2::FrameType::rst_stream, .stream = stream}, number(8)); }
  void window(std::uint32_t stream, std::uint32_t bytes) {
    frame({.type = h2::FrameType::window_update, .stream = stream}, number(bytes));
  }

  bool until_end(std::uint32_t stream) {
    return until([&] { return streams[stream].ended || streams[stream].reset; }) && streams[stream].ended;
  }
  bool until_closed() {
    while (receive()) {
    }
    return wire_.end() == Wire::End::closed;
  }
  template <typename Done>
  bool until(Done done) {
    while (!done()) {
      if (!receive()) return false;
    }
    return true;
  }

 private:
  static std::string number(std::uint32_t value) {
    std::string bytes(4, '\0');
    h2::write_32(value, bytes.data());
    return bytes;
  }
  /// The next frame. False: the connection has ended, or nothing comes.
  bool receive() {
    std::string head, payload;
    if (!wire_.read_exactly(h2::kFrameHead, head)) return false;
    const h2::FrameHead frame = h2::read_frame_head(head.data());
    if (!wire_.read_exactly(frame.length, payload)) return false;
    handle(frame, payload);
    return true;
  }
  void handle(const h2::FrameHead& frame, const std::string& payload) {
    Seen& seen = streams[frame.stream];
    current_ = &seen;
    if (frame.has(h2::flag::end_stream) && (frame.type == h2::FrameType::data || frame.type == h2::FrameType::headers))
      seen.ended = true;
    switch (frame.type) {
      case h2::FrameType::data: seen.body += payload; break;
      case h2::FrameType::headers: CHECK(decoder_.decode(payload, room_, *this) == nullptr); break;
      case h2::FrameType::rst_stream: seen.reset = h2::ErrorCode{h2::read_32(payload.data())}; break;
      case h2::FrameType::goaway:
        ++goaways;
        last_goaway_stream = h2::read_32(payload.data());
        goaway_code = h2::ErrorCode{h2::read_32(payload.data() + 4)};
        break;
      case h2::FrameType::settings:
        if (!frame.has(h2::flag::ack)) this->frame({.type = frame.type, .flags = h2::flag::ack}, "");
        break;
      case h2::FrameType::ping:
        if (!frame.has(h2::flag::ack)) this->frame({.type = frame.type, .flags = h2::flag::ack}, payload);
        break;
      default: break;
    }
  }
  void field(const h2::HeaderField& one) override {
    current_->head += std::string(one.name) + ": " + std::string(one.value) + "\r\n";
  }

  Wire wire_;
  h2::HpackDecoder decoder_;
  h2::StringRoom room_{64 * 1024};
  Seen* current_ = nullptr;
};

}  // namespace gray::test
