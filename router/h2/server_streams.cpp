// The states of streams, and the frames that the machine writes by itself.
#include <algorithm>

#include "router/h2/server_machine.hpp"

namespace gray::h2 {

// A stream has ended when both halves have, whether the owner has released it or not. One that is not listed is idle if
// the client has not got that far. Servers open none, so even numbers are always idle.
ServerMachine::State ServerMachine::state_of(std::uint32_t id) const {
  if (const Stream* stream = find(id)) {
    if (stream->is_reset()) return stream->reset_by_peer ? State::reset_by_peer : State::reset_by_us;
    if (stream->request == Stream::Half::open) return State::open;
    return stream->answer == Stream::Half::open ? State::half_closed : State::ended;
  }
  if (id > last_ || id % 2 == 0) return State::idle;
  const auto found =
      std::find_if(endings_.begin(), endings_.end(), [id](std::uint32_t e) { return e >> 2 == id >> 1; });
  if (found == endings_.end()) return State::unknown;
  switch (static_cast<Ending>(*found & 3)) {
    case Ending::ended: return State::ended;
    case Ending::reset_by_us: return State::reset_by_us;
    case Ending::reset_by_peer: return State::reset_by_peer;
    default: return State::unknown;
  }
}

Stream* ServerMachine::find(std::uint32_t id) const {
  const auto at = std::lower_bound(streams_.begin(), streams_.end(), id,
                                   [](const Stream* stream, std::uint32_t wanted) { return stream->id < wanted; });
  return at != streams_.end() && (*at)->id == id ? *at : nullptr;
}

void ServerMachine::remember(std::uint32_t id, Ending ending) {
  endings_[endings_next_] = id >> 1 << 2 | static_cast<std::uint32_t>(ending);
  endings_next_ = (endings_next_ + 1) % kRemembered;
}

void ServerMachine::end_both(Stream& stream, ErrorCode code, bool by_peer) {
  stream.request = stream.answer = Stream::Half::reset;
  stream.reset_by_peer = by_peer;
  visitor_.on_reset(stream, code);
}

// The client broke a rule of a stream. An idle one cannot be reset.
void ServerMachine::stream_error(std::uint32_t id, ErrorCode code, const char* rule) {
  if (state_of(id) == State::idle) return fail(code, rule);
  if (!budget_.reset(now_)) return fail(ErrorCode::enhance_your_calm, "too many errors of streams");
  write_rst(id, code);
  Stream* const stream = find(id);
  if (stream != nullptr && !stream->is_reset()) end_both(*stream, code, false);
}

void ServerMachine::reset(Stream& stream, ErrorCode code) {
  const bool both_ended = stream.request == Stream::Half::ended && stream.answer == Stream::Half::ended;
  if (dead_ || stream.is_reset() || both_ended) return;
  write_rst(stream.id, code);
  stream.request = stream.answer = Stream::Half::reset;
}

void ServerMachine::release(Stream& stream) {
  reset(stream, stream.answer == Stream::Half::open ? ErrorCode::internal_error : ErrorCode::no_error);
  credit(nullptr, stream.receive.unconsumed());
  Ending ending = Ending::ended;
  if (stream.is_reset()) ending = stream.reset_by_peer ? Ending::reset_by_peer : Ending::reset_by_us;
  remember(stream.id, ending);
  streams_.erase(std::find(streams_.begin(), streams_.end(), &stream));
  pool_.give(&stream);
}

void ServerMachine::consumed(Stream& stream, std::size_t bytes) { credit(&stream, static_cast<std::uint32_t>(bytes)); }

// Bytes that came are out of memory; `stream`: null if they belong to none any more.
void ServerMachine::credit(Stream* stream, std::uint32_t bytes) {
  if (const std::uint32_t due = receive_.consume(bytes); due > 0) write_update(0, due);
  if (stream == nullptr) return;
  const std::uint32_t due = stream->receive.consume(bytes);
  if (due > 0 && stream->request == Stream::Half::open) write_update(stream->id, due);
}

void ServerMachine::write_rst(std::uint32_t id, ErrorCode code) {
  char payload[4];
  write_32(static_cast<std::uint32_t>(code), payload);
  write_frame({0, FrameType::rst_stream, 0, id}, {payload, sizeof payload});
}

void ServerMachine::write_update(std::uint32_t id, std::uint32_t increment) {
  char payload[4];
  write_32(increment, payload);
  write_frame({0, FrameType::window_update, 0, id}, {payload, sizeof payload});
}

// `text`: debug data, which says in words what was wrong.
void ServerMachine::write_goaway(std::uint32_t last, ErrorCode code, std::string_view text) {
  char payload[8 + 120];
  const std::size_t length = std::min<std::size_t>(text.size(), sizeof payload - 8);
  char* at = write_32(static_cast<std::uint32_t>(code), write_32(last, payload));
  std::copy_n(text.begin(), length, at);
  write_frame({0, FrameType::goaway, 0, 0}, {payload, 8 + length});
}

// Sets the length of `head`.
void ServerMachine::write_frame(FrameHead head, std::string_view payload) {
  if (dead_) return;
  head.length = static_cast<std::uint32_t>(payload.size());
  char* const out = out_.room(kFrameHead + payload.size());
  std::copy(payload.begin(), payload.end(), write_frame_head(head, out));
  out_.commit(kFrameHead + payload.size());
  written_ += kFrameHead + payload.size();
}

}  // namespace gray::h2
