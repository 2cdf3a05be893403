// Frames that carry messages: HEADERS, CONTINUATION and DATA.
#include <algorithm>
#include <new>

#include "router/h2/server_machine.hpp"

namespace gray::h2 {

namespace {

/// For blocks whose fields nobody wants.
class NoFields final : public FieldSink {
 public:
  void field(const HeaderField&) override {}
};

constexpr std::size_t kPriorityBytes = 5;

}  // namespace

void ServerMachine::on_headers(std::string_view payload) {
  const FrameHead& frame = reader_.head();
  if (frame.stream % 2 == 0) return fail(ErrorCode::protocol_error, "an even stream number from a client");
  std::size_t padding = 0;
  if (frame.has(flag::padded)) {
    if (payload.empty()) return fail(ErrorCode::frame_size_error, "HEADERS without room for its padding");
    padding = static_cast<unsigned char>(payload.front());
    payload.remove_prefix(1);
  }
  block_.depends_on_itself = false;
  if (frame.has(flag::priority)) {
    if (payload.size() < kPriorityBytes)
      return fail(ErrorCode::frame_size_error, "HEADERS without room for a priority");
    block_.depends_on_itself = (read_32(payload.data()) & kMaxStreamId) == frame.stream;
    payload.remove_prefix(kPriorityBytes);
  }
  if (padding > payload.size()) return fail(ErrorCode::protocol_error, "padding that is longer than its frame");
  payload.remove_suffix(padding);
  block_.stream = frame.stream;
  block_.end_stream = frame.has(flag::end_stream);
  block_.continuations = 0;
  if (frame.has(flag::end_headers)) return take_block(payload);
  block_.bytes.assign(payload.begin(), payload.end());
}

void ServerMachine::on_continuation(std::string_view payload) {
  if (++block_.continuations > kMaxContinuations) {
    return fail(ErrorCode::enhance_your_calm, "more than eight CONTINUATION frames");
  }
  if (block_.bytes.size() + payload.size() > rooms_.strings().block()) {
    return fail(ErrorCode::enhance_your_calm, "a header block larger than the limit of a head");
  }
  block_.bytes.insert(block_.bytes.end(), payload.begin(), payload.end());
  if (!reader_.head().has(flag::end_headers)) return;
  const std::vector<char> bytes = std::move(block_.bytes);
  block_.bytes = {};
  take_block({bytes.data(), bytes.size()});
}

void ServerMachine::take_block(std::string_view block) {
  const std::uint32_t id = block_.stream;
  block_.stream = 0;
  switch (state_of(id)) {
    case State::idle: last_ = id; return open_stream(block);
    case State::open: return read_trailers(*find(id), block);
    case State::half_closed:
    case State::reset_by_peer:
      if (skip_block(block)) stream_error(id, ErrorCode::stream_closed, "HEADERS of a stream that is closed");
      return;
    case State::ended:
      if (skip_block(block)) fail(ErrorCode::stream_closed, "HEADERS of a stream that has ended");
      return;
    case State::reset_by_us:  // it may have been sent before the reset came; many were not
      if (skip_block(block)) glitch();
      return;
    case State::unknown:
      return fail(ErrorCode::protocol_error, "a stream number that is not larger than the ones before");
  }
}

void ServerMachine::open_stream(std::string_view block) {
  const std::uint32_t id = last_;
  if (drain_ == Drain::last) {
    remember(id, Ending::reset_by_us);
    if (skip_block(block)) glitch();
    return;
  }
  if (streams_.size() < kMaxStreams) return read_request(block);
  if (skip_block(block)) refuse_stream(id);
}

void ServerMachine::refuse_stream(std::uint32_t id) {
  if (!budget_.refused(now_)) return fail(ErrorCode::enhance_your_calm, "too many streams beyond the limit");
  remember(id, Ending::reset_by_us);
  write_rst(id, ErrorCode::refused_stream);
}

void ServerMachine::read_request(std::string_view block) {
  const std::uint32_t id = last_;
  const bool end_stream = block_.end_stream;
  HeadBuilder builder(rooms_, HeadBuilder::Section::request);
  if (!decode(block, builder)) return;
  Refusal refusal = builder.finish(end_stream);
  if (block_.depends_on_itself) refusal = {Refusal::As::stream_error, 400, "a stream that depends on itself"};
  if (refusal.as == Refusal::As::stream_error) {
    remember(id, Ending::reset_by_us);
    return stream_error(id, ErrorCode::protocol_error, refusal.reason);
  }
  Stream* const stream = new_stream(id, end_stream);
  if (stream == nullptr) return refuse_stream(id);
  served_ = id;
  budget_.earn_by_request();
  if (refusal) return visitor_.on_refused(*stream, refusal, end_stream);
  stream->length_left = builder.content_length().value_or(kAnyLength);
  visitor_.on_request(*stream, builder.text(), end_stream);
}

// Null: there is no memory.
Stream* ServerMachine::new_stream(std::uint32_t id, bool end_stream) {
  try {
    streams_.reserve(streams_.size() + 1 > streams_.capacity() ? std::max<std::size_t>(4, streams_.size() * 2) : 0);
    Stream* const stream = pool_.take();
    streams_.push_back(stream);
    stream->id = id;
    stream->request = end_stream ? Stream::Half::ended : Stream::Half::open;
    stream->send = SendWindow(static_cast<std::int32_t>(peer_window_));
    return stream;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void ServerMachine::read_trailers(Stream& stream, std::string_view block) {
  HeadBuilder builder(rooms_, HeadBuilder::Section::trailers);
  if (!decode(block, builder)) return;
  const Refusal refusal = builder.finish(true);
  if (!block_.end_stream) return stream_error(stream.id, ErrorCode::protocol_error, "trailers without END_STREAM");
  if (refusal) return stream_error(stream.id, ErrorCode::protocol_error, refusal.reason);
  if (stream.length_left != kAnyLength && stream.length_left != 0) {
    return stream_error(stream.id, ErrorCode::protocol_error, "less DATA than Content-Length");
  }
  stream.request = Stream::Half::ended;
  visitor_.on_trailers(stream, builder.text());
}

bool ServerMachine::skip_block(std::string_view block) {
  NoFields nobody;
  return decode(block, nobody);
}

// False: the connection is broken.
bool ServerMachine::decode(std::string_view block, FieldSink& sink) {
  const char* const fault = decoder_.decode(block, rooms_.strings(), sink);
  if (fault != nullptr) fail(ErrorCode::compression_error, fault);
  return fault == nullptr;
}

// The windows are checked for the whole frame, and taken from as its bytes come.
void ServerMachine::on_data_head() {
  const FrameHead& frame = reader_.head();
  data_passed_ = padding_known_ = false;
  if (frame.length > receive_.left()) {
    return fail(ErrorCode::flow_control_error, "more DATA than the window of the connection");
  }
  switch (state_of(frame.stream)) {
    case State::idle: return fail(ErrorCode::protocol_error, "DATA of an idle stream");
    case State::ended: return fail(ErrorCode::stream_closed, "DATA of a stream that has ended");
    case State::reset_by_us: return;
    case State::open: break;
    default: return stream_error(frame.stream, ErrorCode::stream_closed, "DATA of a stream that is closed");
  }
  if (frame.length > find(frame.stream)->receive.left()) {
    return stream_error(frame.stream, ErrorCode::flow_control_error, "more DATA than the window of its stream");
  }
  data_passed_ = true;
}

void ServerMachine::on_data(const FrameReader::Step& step) {
  std::string_view piece = step.payload;
  if (!take_padding(piece) || dead_) return;
  const std::string_view payload = piece.substr(0, data_left_);
  data_left_ -= static_cast<std::uint32_t>(payload.size());
  const auto all = static_cast<std::uint32_t>(step.payload.size());
  const auto beside = all - static_cast<std::uint32_t>(payload.size());
  receive_.take(all);
  Stream* const stream = data_passed_ ? find(reader_.head().stream) : nullptr;
  if (stream == nullptr || stream->request != Stream::Half::open) return credit(nullptr, all);
  stream->receive.take(all);
  if (beside > 0) credit(stream, beside);
  const bool end_stream = step.last && reader_.head().has(flag::end_stream);
  if (!payload.empty() || end_stream) pass_data(*stream, payload, end_stream);
}

// Reads the length of the padding, if that was not done. False: the connection is broken.
bool ServerMachine::take_padding(std::string_view& piece) {
  if (padding_known_) return true;
  const FrameHead& frame = reader_.head();
  std::uint32_t beside = 0;
  if (frame.has(flag::padded)) {
    if (piece.empty()) {
      fail(ErrorCode::frame_size_error, "DATA without room for its padding");
      return false;
    }
    beside = 1 + static_cast<unsigned char>(piece.front());
    piece.remove_prefix(1);
  }
  if (beside > frame.length) {
    fail(ErrorCode::protocol_error, "padding that is longer than its frame");
    return false;
  }
  data_left_ = frame.length - beside;
  padding_known_ = true;
  if (data_left_ == 0 && !(frame.has(flag::end_stream) && data_passed_)) glitch();
  return true;
}

void ServerMachine::pass_data(Stream& stream, std::string_view payload, bool end_stream) {
  if (stream.length_left != kAnyLength) {
    if (payload.size() > stream.length_left) {
      return stream_error(stream.id, ErrorCode::protocol_error, "more DATA than Content-Length");
    }
    stream.length_left -= payload.size();
    if (end_stream && stream.length_left > 0) {
      return stream_error(stream.id, ErrorCode::protocol_error, "less DATA than Content-Length");
    }
  }
  if (end_stream) stream.request = Stream::Half::ended;
  visitor_.on_data(stream, payload, end_stream);
}

}  // namespace gray::h2
