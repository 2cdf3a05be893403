#pragma once
// A client in front of a ServerMachine: it writes frames, and says what the machine did, in calls of its visitor and in
// frames, as text.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "router/h2/server_machine.hpp"
#include "tests/router/h2/field_list.hpp"

namespace gray::h2 {

inline std::string frame(FrameType type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {}) {
  std::string out(kFrameHead, '?');
  write_frame_head({static_cast<std::uint32_t>(payload.size()), type, flags, stream}, out.data());
  return out.append(payload);
}
inline std::string number(std::uint32_t value) {
  std::string out(4, '?');
  write_32(value, out.data());
  return out;
}
inline std::string setting(Setting name, std::uint32_t value) {
  std::string out(2, '?');
  write_16(static_cast<std::uint16_t>(name), out.data());
  return out + number(value);
}
inline std::string settings(std::string_view payload = {}) { return frame(FrameType::settings, 0, 0, payload); }
inline std::string data(std::uint32_t stream, std::string_view payload, bool end = false) {
  return frame(FrameType::data, end ? flag::end_stream : std::uint8_t{0}, stream, payload);
}
inline std::string headers(std::uint32_t stream, std::string_view block, bool end = true) {
  const std::uint8_t flags = flag::end_headers | (end ? flag::end_stream : std::uint8_t{0});
  return frame(FrameType::headers, flags, stream, block);
}
inline std::string window_update(std::uint32_t stream, std::uint32_t by) {
  return frame(FrameType::window_update, 0, stream, number(by));
}
inline std::string rst(std::uint32_t stream, ErrorCode code = ErrorCode::cancel) {
  return frame(FrameType::rst_stream, 0, stream, number(static_cast<std::uint32_t>(code)));
}
inline std::string ping(std::string_view payload = "12345678", std::uint8_t flags = 0) {
  return frame(FrameType::ping, flags, 0, payload);
}

/// :method GET or POST, :scheme http, :path /, :authority a
inline const std::string kGetBlock(
    "\x82\x86\x84\x01\x01"
    "a",
    6);
inline const std::string kPostBlock(
    "\x83\x86\x84\x01\x01"
    "a",
    6);

class Conversation final : public ServerVisitor, public Output {
 public:
  explicit Conversation(http::HeadLimits limits = {}) : rooms(limits), machine(rooms, pool, *this, *this) {
    machine.start();
  }
  ~Conversation() {
    for (Stream* stream : held()) machine.release(*stream);
  }

  /// Past the preface, with nothing in the records.
  Conversation& greet(std::string_view payload = {}) {
    receive(std::string(kPreface) + settings(payload));
    calls.clear();
    frames();
    return *this;
  }
  void receive(std::string_view bytes) {
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    bytes.copy(exact.get(), bytes.size());
    machine.receive({exact.get(), bytes.size()}, now);
  }
  /// What the visitor was told for these bytes.
  std::string told(std::string_view bytes) {
    calls.clear();
    receive(bytes);
    return calls;
  }
  /// The frames that the machine wrote since the last call.
  std::string frames() {
    std::string text;
    for (std::string_view rest = out; !rest.empty();) {
      REQUIRE(rest.size() >= kFrameHead);
      const FrameHead head = read_frame_head(rest.data());
      REQUIRE(rest.size() >= kFrameHead + head.length);
      text += describe(head, rest.substr(kFrameHead, head.length));
      rest.remove_prefix(kFrameHead + head.length);
    }
    out.clear();
    return text;
  }
  /// The frames that are written for these bytes.
  std::string reply(std::string_view bytes) {
    frames();
    receive(bytes);
    return frames();
  }
  Stream& stream(std::uint32_t id) {
    for (Stream* stream : held()) {
      if (stream->id == id) return *stream;
    }
    FAIL("no stream ", id);
    return *held().front();
  }
  std::vector<Stream*> held() const {
    std::vector<Stream*> list;
    machine.for_each_stream([&list](Stream& stream) { list.push_back(&stream); });
    return list;
  }
  /// A head of an answer, without fields.
  void answer(Stream& stream, bool end_stream, int status = 200) {
    const auto head = std::make_unique<http::Response>();
    head->status = status;
    if (!end_stream) head->body.kind = http::Body::Kind::open;
    machine.send_head(stream, *head, {}, {}, end_stream);
  }

  // ServerVisitor
  void on_request(Stream& stream, std::string_view head, bool end) override {
    last_head = head;
    note("request", stream, std::string(head.substr(0, head.find(" HTTP"))) + mark(end));
    if (release_at_request) machine.release(stream);
  }
  void on_refused(Stream& stream, const Refusal& refusal, bool end) override {
    note("refused", stream, std::to_string(refusal.status) + mark(end));
  }
  void on_data(Stream& stream, std::string_view payload, bool end) override {
    note("data", stream, std::string(payload) + mark(end));
    if (!payload.empty()) payloads[stream.id] += payload;
    if (consumes) machine.consumed(stream, payload.size());
  }
  void on_trailers(Stream& stream, std::string_view section) override {
    note("trailers", stream, std::string(section));
  }
  void on_reset(Stream& stream, ErrorCode code) override { note("reset", stream, std::string(name_of(code))); }
  void on_window(Stream& stream) override { note("window", stream, ""); }
  void on_connection_window() override { calls += "connection window\n"; }
  void on_goaway(ErrorCode code) override { calls += "goaway " + std::string(name_of(code)) + "\n"; }
  void on_connection_error(ErrorCode code, const char* rule) override {
    calls += "broken " + std::string(name_of(code)) + "\n";
    last_rule = rule;
  }

  // Output
  char* room(std::size_t bound) override {
    if (room_.size() < bound) room_.resize(bound);
    return room_.data();
  }
  void commit(std::size_t length) override {
    out.append(room_.data(), length);
    stuck_ += reads ? 0 : length;
  }
  void append(std::string_view bytes) override {
    out.append(bytes);
    stuck_ += reads ? 0 : bytes.size();
  }
  std::size_t unsent() const override { return stuck_; }

  HeadRoom rooms;
  StreamPool pool;
  std::string calls, out, last_head, last_rule;
  std::map<std::uint32_t, std::string> payloads;  // of each stream
  bool consumes = true, reads = true, release_at_request = false;
  TimePoint now{std::chrono::seconds(1000)};
  ServerMachine machine;

 private:
  static std::string mark(bool end) { return end ? " end" : ""; }
  void note(const char* call, const Stream& stream, const std::string& text) {
    calls += std::string(call) + " " + std::to_string(stream.id) + (text.empty() ? "" : " " + text) + "\n";
  }

  std::string describe(const FrameHead& head, std::string_view payload) {
    static constexpr std::array<const char*, 10> kNames{
        "DATA", "HEADERS", "PRIORITY", "RST", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "UPDATE", "CONTINUATION"};
    std::string text = kNames.at(static_cast<std::size_t>(head.type));
    if (head.stream != 0) text += " " + std::to_string(head.stream);
    switch (head.type) {
      case FrameType::data:
        text += " " + (payload.size() > 40 ? std::to_string(payload.size()) + " bytes" : std::string(payload));
        text += mark(head.has(flag::end_stream));
        break;
      case FrameType::headers: {
        FieldList list;
        REQUIRE(decoder_.decode(payload, strings_, list) == nullptr);
        for (char& c : list.text) c = c == '\n' ? ',' : c;
        text += " " + list.text + mark(head.has(flag::end_stream));
        break;
      }
      case FrameType::rst_stream:
        text += " " + std::string(name_of(static_cast<ErrorCode>(read_32(payload.data()))));
        break;
      case FrameType::goaway:
        text += " " + std::to_string(read_32(payload.data())) + " " +
                std::string(name_of(static_cast<ErrorCode>(read_32(payload.data() + 4))));
        break;
      case FrameType::window_update: text += " " + std::to_string(read_32(payload.data())); break;
      default: text += head.has(flag::ack) ? " ack" : ""; break;
    }
    return text + "\n";
  }

  std::vector<char> room_;
  std::size_t stuck_ = 0;
  HpackDecoder decoder_;
  StringRoom strings_{128 * 1024};
};

}  // namespace gray::h2
