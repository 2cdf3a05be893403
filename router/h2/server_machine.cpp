#include "router/h2/server_machine.hpp"

#include <algorithm>
#include <array>

namespace gray::h2 {

ServerMachine::ServerMachine(HeadRoom& rooms, StreamPool& pool, ServerVisitor& visitor, Output& out)
    : rooms_(rooms), pool_(pool), visitor_(visitor), out_(out) {}

ServerMachine::~ServerMachine() {
  for (Stream* stream : streams_) pool_.give(stream);
}

void ServerMachine::start() {
  std::array<char, 18> settings;
  char* at = settings.data();
  const auto add = [&at](Setting setting, std::size_t value) {
    at = write_32(static_cast<std::uint32_t>(value), write_16(static_cast<std::uint16_t>(setting), at));
  };
  add(Setting::max_concurrent_streams, kMaxStreams);
  add(Setting::max_header_list_size, rooms_.limits().bytes);
  add(Setting::no_rfc7540_priorities, 1);
  write_frame({0, FrameType::settings, 0, 0}, {settings.data(), settings.size()});
  write_update(0, kConnectionWindow - kFirstWindow);
}

void ServerMachine::receive(std::string_view bytes, TimePoint now) {
  now_ = now;
  if (dead_ || !take_preface(bytes)) return;
  while (!dead_) {
    const FrameReader::Step step = reader_.feed(bytes);
    bytes.remove_prefix(step.consumed);
    if (step.kind == FrameReader::Step::Kind::more) return;
    step.kind == FrameReader::Step::Kind::head ? on_frame_head() : on_payload(step);
  }
}

// False: more bytes are needed, or it is another protocol.
bool ServerMachine::take_preface(std::string_view& bytes) {
  if (preface_ == kPreface.size()) return true;
  const std::string_view expected = kPreface.substr(preface_, bytes.size());
  if (!bytes.starts_with(expected)) {
    fail(ErrorCode::protocol_error, "the connection does not begin with the preface of HTTP/2");
    return false;
  }
  preface_ = static_cast<std::uint8_t>(preface_ + expected.size());
  bytes.remove_prefix(expected.size());
  return preface_ == kPreface.size();
}

void ServerMachine::on_frame_head() {
  const FrameHead& frame = reader_.head();
  if (const Violation order = check_order(frame)) return broken(order);
  reader_.take(how_taken(frame.type));
  if (const Violation size = check_frame(frame, kFrameSize)) {
    if (size.whole_connection) return broken(size);
    reader_.take(FrameReader::Take::nothing);
    return stream_error(frame.stream, size.code, size.text);
  }
  if (frame.type == FrameType::data) on_data_head();
  if (frame.type > FrameType::continuation) glitch();
}

Violation ServerMachine::check_order(const FrameHead& frame) const {
  const bool continues = frame.type == FrameType::continuation;
  if (block_.stream != 0 && (!continues || frame.stream != block_.stream)) {
    return {ErrorCode::protocol_error, "another frame inside of a header block"};
  }
  if (block_.stream == 0 && continues) return {ErrorCode::protocol_error, "CONTINUATION without a header block"};
  if (!settings_came_ && (frame.type != FrameType::settings || frame.has(flag::ack))) {
    return {ErrorCode::protocol_error, "the first frame is not SETTINGS"};
  }
  if (frame.type == FrameType::push_promise) return {ErrorCode::protocol_error, "PUSH_PROMISE from a client"};
  return {};
}

FrameReader::Take ServerMachine::how_taken(FrameType type) const {
  if (type == FrameType::data) return FrameReader::Take::pieces;
  return type > FrameType::continuation ? FrameReader::Take::nothing : FrameReader::Take::whole;
}

void ServerMachine::on_payload(const FrameReader::Step& step) {
  switch (reader_.head().type) {
    case FrameType::data: return on_data(step);
    case FrameType::headers: return on_headers(step.payload);
    case FrameType::priority:
      if (step.payload.empty()) return;  // of a wrong size, and refused already
      return on_priority(step.payload);
    case FrameType::rst_stream: return on_rst_stream(step.payload);
    case FrameType::settings: return on_settings(step.payload);
    case FrameType::ping: return on_ping(step.payload);
    case FrameType::goaway: return on_goaway(step.payload);
    case FrameType::window_update: return on_window_update(step.payload);
    case FrameType::continuation: return on_continuation(step.payload);
    default: return;
  }
}

void ServerMachine::broken(const Violation& violation) {
  if (dead_) return;
  end(violation.code, violation.text);
  visitor_.on_connection_error(violation.code, violation.text);
}

void ServerMachine::end(ErrorCode code, const char* rule) {
  if (dead_) return;
  write_goaway(served_, code, rule);
  dead_ = true;
}

void ServerMachine::begin_drain() {
  if (dead_ || drain_ != Drain::no) return;
  drain_ = Drain::announced;
  write_goaway(kMaxStreamId, ErrorCode::no_error, {});
  write_frame({0, FrameType::ping, 0, 0}, kDrainPing);
}

void ServerMachine::finish_drain() {
  if (dead_ || drain_ == Drain::last) return;
  drain_ = Drain::last;
  write_goaway(served_, ErrorCode::no_error, {});
}

std::size_t ServerMachine::memory() const {
  return reader_.memory() + decoder_.table().memory() + block_.bytes.capacity() + streams_.capacity() * sizeof(Stream*);
}

}  // namespace gray::h2
