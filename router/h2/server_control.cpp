// Frames that carry no message: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM and PRIORITY.
#include "router/h2/server_machine.hpp"

namespace gray::h2 {

namespace {

constexpr std::size_t kSettingBytes = 6, kMostSettings = 32;

}  // namespace

void ServerMachine::on_settings(std::string_view payload) {
  if (reader_.head().has(flag::ack)) {
    if (acknowledged_) glitch();
    acknowledged_ = true;
    return;
  }
  if (settings_came_) glitch();
  settings_came_ = true;
  if (payload.size() > kMostSettings * kSettingBytes) return fail(ErrorCode::enhance_your_calm, "too many settings");
  for (; !payload.empty() && !dead_; payload.remove_prefix(kSettingBytes)) {
    apply(read_16(payload.data()), read_32(payload.data() + 2));
  }
  if (!dead_) reply({0, FrameType::settings, flag::ack, 0}, {});
}

void ServerMachine::apply(std::uint16_t setting, std::uint32_t value) {
  switch (static_cast<Setting>(setting)) {
    case Setting::header_table_size:
      // An encoder that uses less than the peer allows must say so (RFC 7541 4.2). Ours uses nothing.
      if (value < kTableSize && !table_announced_) empty_table_ = true;
      return;
    case Setting::enable_push:
      if (value > 1) fail(ErrorCode::protocol_error, "SETTINGS_ENABLE_PUSH is neither 0 nor 1");
      return;
    case Setting::initial_window_size:
      if (value > kMaxWindow) return fail(ErrorCode::flow_control_error, "SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1");
      return change_initial_window(value);
    case Setting::max_frame_size:
      if (value < kFrameSize || value > kMaxFrameSize) {
        return fail(ErrorCode::protocol_error, "SETTINGS_MAX_FRAME_SIZE outside of 16384 to 16777215");
      }
      return;  // our frames never exceed the smallest limit
    default: return;
  }
}

void ServerMachine::change_initial_window(std::uint32_t size) {
  const std::int64_t by = std::int64_t{size} - peer_window_;
  peer_window_ = size;
  if (by == 0) return;
  std::array<std::uint32_t, kMaxStreams> opened{};
  std::size_t count = 0;
  for (Stream* stream : streams_) {
    const bool blocked = stream->send.room() == 0;
    if (!stream->send.change(by)) return fail(ErrorCode::flow_control_error, "SETTINGS make a window exceed 2^31-1");
    if (blocked && stream->send.room() > 0 && can_send(*stream)) opened[count++] = stream->id;
  }
  for (std::size_t i = 0; i < count; ++i) {
    Stream* const stream = find(opened[i]);  // the owner may have released it meanwhile
    if (stream != nullptr && can_send(*stream)) visitor_.on_window(*stream);
  }
}

void ServerMachine::on_ping(std::string_view payload) {
  if (!reader_.head().has(flag::ack)) {
    usual();
    if (!dead_) reply({0, FrameType::ping, flag::ack, 0}, payload);
    return;
  }
  if (drain_ == Drain::announced && payload == kDrainPing) return finish_drain();
  glitch();
}

void ServerMachine::on_goaway(std::string_view payload) {
  glitch();
  if (!dead_) visitor_.on_goaway(static_cast<ErrorCode>(read_32(payload.data() + 4)));
}

void ServerMachine::on_window_update(std::string_view payload) {
  const std::uint32_t id = reader_.head().stream, increment = read_32(payload.data()) & kMaxStreamId;
  Stream* const stream = find(id);
  if (id != 0 && stream == nullptr && state_of(id) == State::idle) {
    return fail(ErrorCode::protocol_error, "WINDOW_UPDATE of an idle stream");
  }
  usual();
  if (dead_) return;
  if (id == 0) {
    const bool blocked = send_.room() == 0;
    if (increment == 0) return fail(ErrorCode::protocol_error, "WINDOW_UPDATE by 0");
    if (!send_.change(increment)) {
      return fail(ErrorCode::flow_control_error, "WINDOW_UPDATE makes the window of the connection exceed 2^31-1");
    }
    if (blocked && send_.room() > 0) visitor_.on_connection_window();
    return;
  }
  if (stream == nullptr || stream->is_reset()) return;  // ended while the frame was on its way
  const bool blocked = stream->send.room() == 0;
  if (increment == 0) return stream_error(id, ErrorCode::protocol_error, "WINDOW_UPDATE by 0");
  if (!stream->send.change(increment)) {
    return stream_error(id, ErrorCode::flow_control_error, "WINDOW_UPDATE makes a window exceed 2^31-1");
  }
  if (blocked && stream->send.room() > 0 && can_send(*stream)) visitor_.on_window(*stream);
}

void ServerMachine::on_rst_stream(std::string_view payload) {
  const std::uint32_t id = reader_.head().stream;
  Stream* const stream = find(id);
  if (stream == nullptr && state_of(id) == State::idle) {
    return fail(ErrorCode::protocol_error, "RST_STREAM of an idle stream");
  }
  if (stream == nullptr || stream->is_reset()) return glitch();
  if (!budget_.reset(now_)) return fail(ErrorCode::enhance_your_calm, "too many reset streams");
  end_both(*stream, static_cast<ErrorCode>(read_32(payload.data())), true);
}

void ServerMachine::on_priority(std::string_view payload) {
  const std::uint32_t id = reader_.head().stream;
  usual();
  const bool itself = (read_32(payload.data()) & kMaxStreamId) == id;
  if (itself && !dead_) stream_error(id, ErrorCode::protocol_error, "a stream that depends on itself");
}

void ServerMachine::glitch() {
  if (!budget_.glitch(now_)) fail(ErrorCode::enhance_your_calm, "too many frames without use");
}

void ServerMachine::usual() {
  if (!budget_.usual(now_)) fail(ErrorCode::enhance_your_calm, "too many PING, WINDOW_UPDATE or PRIORITY frames");
}

void ServerMachine::reply(FrameHead head, std::string_view payload) {
  write_frame(head, payload);
  const auto bytes = static_cast<std::uint32_t>(kFrameHead + payload.size());
  const bool bounded = budget_.reply(written_, written_ - std::min<std::uint64_t>(out_.unsent(), written_), bytes);
  if (!bounded) fail(ErrorCode::enhance_your_calm, "replies that are not read");
}

}  // namespace gray::h2
