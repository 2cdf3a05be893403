// Answers. Heads are written as HTTP/1.1 text behind the place of the frames, and encoded from there.
#include <algorithm>

#include "router/h2/server_machine.hpp"
#include "router/wire/trailers.hpp"

namespace gray::h2 {

HeadersFrames ServerMachine::frames_of(const Stream& stream, bool end_stream) {
  const HeadersFrames frames{stream.id, end_stream, empty_table_};
  table_announced_ = table_announced_ || empty_table_;
  empty_table_ = false;
  return frames;
}

// `write`: std::size_t(char* out), writes a response head of at most `bound` bytes.
template <class WriteText>
void ServerMachine::send_text(Stream& stream, std::size_t bound, bool end_stream, WriteText write) {
  if (!can_send(stream)) return;
  const std::size_t front = headers_bound(bound);
  char* const out = out_.room(front + bound);
  const std::size_t size = write(out + front);
  const std::size_t written = write_head_frames(frames_of(stream, end_stream), {out + front, size}, out);
  out_.commit(written);
  written_ += written;
  if (end_stream) stream.answer = Stream::Half::ended;
}

void ServerMachine::send_interim(Stream& stream, const http::Response& head) {
  send_text(stream, http::response_bound(head, {}), false,
            [&head](char* out) { return http::write_response(head, {}, {}, out); });
}

void ServerMachine::send_continue(Stream& stream) {
  constexpr std::string_view kText = "HTTP/1.1 100 Continue\r\nVia: 1.1 grayd\r\n\r\n";
  send_text(stream, kText.size(), false, [kText](char* out) { return kText.copy(out, kText.size()); });
}

void ServerMachine::send_head(Stream& stream, const http::Response& head, const http::ResponseExtras& extras,
                              std::string_view date, bool end_stream) {
  send_text(stream, http::response_bound(head, extras), end_stream,
            [&](char* out) { return http::write_response(head, extras, {.date = date}, out); });
}

std::string_view ServerMachine::send_answer(Stream& stream, const http::LocalAnswer& answer, std::string_view date,
                                            std::span<char, http::kMaxLocalAnswer> text) {
  const std::string_view whole{text.data(), http::write_local_answer(answer, {.date = date}, text.data())};
  const std::size_t head_size = whole.find("\r\n\r\n") + 4;
  std::string_view body = whole.substr(head_size);
  send_text(stream, head_size, body.empty(), [&](char* out) { return whole.copy(out, head_size); });
  if (!body.empty()) body.remove_prefix(send_data(stream, body, true));
  return body;
}

std::size_t ServerMachine::sendable(const Stream& stream) const {
  return can_send(stream) ? std::min(stream.send.room(), send_.room()) : 0;
}

std::size_t ServerMachine::send_data(Stream& stream, std::string_view payload, bool end_stream) {
  if (!can_send(stream)) return payload.size();
  const std::size_t all = std::min(payload.size(), sendable(stream));
  end_stream = end_stream && all == payload.size();
  for (std::string_view rest = payload.substr(0, all); !rest.empty();) {
    const std::string_view piece = rest.substr(0, kFrameSize);
    rest.remove_prefix(piece.size());
    write_data(stream, piece, end_stream && rest.empty());
    budget_.earn_by_data();
  }
  if (payload.empty() && end_stream) write_data(stream, {}, true);
  if (end_stream) stream.answer = Stream::Half::ended;
  return all;
}

void ServerMachine::write_data(Stream& stream, std::string_view payload, bool end_stream) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  write_frame_head({size, FrameType::data, end_stream ? flag::end_stream : std::uint8_t{0}, stream.id},
                   out_.room(kFrameHead));
  out_.commit(kFrameHead);
  if (size > 0) out_.append(payload);
  written_ += kFrameHead + size;
  stream.send.take(size);
  send_.take(size);
}

void ServerMachine::send_trailers(Stream& stream, std::string_view section) {
  if (!can_send(stream)) return;
  const std::size_t bound = http::trailers_bound(section.size()), front = headers_bound(bound);
  char* const out = out_.room(front + bound);
  const std::size_t size = http::write_trailers(section, out + front);
  if (size == 0) {
    out_.commit(0);
    send_data(stream, {}, true);
    return;
  }
  const std::size_t written = write_trailer_frames(frames_of(stream, true), {out + front, size}, out);
  out_.commit(written);
  written_ += written;
  stream.answer = Stream::Half::ended;
}

}  // namespace gray::h2
