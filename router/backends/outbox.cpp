#include "router/backends/outbox.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "router/wire/body.hpp"

namespace gray::proxy {

void Outbox::append(engine::StreamId stream, std::string_view bytes) {
  if (bytes.size() > kCopied) return send_with(stream, bytes, {});
  std::memcpy(room(stream, bytes.size()), bytes.data(), bytes.size());
  commit(bytes.size());
}

// The head is written again when the chunk grows. It has only the digits that its size needs: the payload moves by one
// byte for each more, at 16, 256 and 4096 bytes.
void Outbox::append_chunk(engine::StreamId stream, std::string_view payload) {
  constexpr std::string_view kEnd = "\r\n";
  std::array<char, http::kMaxChunkHead> head;
  if (payload.size() > kCopied) {
    append(stream, {head.data(), http::write_chunk_head(payload.size(), head.data())});
    return send_with(stream, payload, kEnd);
  }
  room(stream, head.size() + payload.size() + kEnd.size());
  if (chunk_.end == 0 || chunk_.end != used_) chunk_ = {.at = used_};
  const std::size_t length = http::write_chunk_head(chunk_.size + payload.size(), head.data());
  char* out = bytes_.get() + chunk_.at;
  if (length != chunk_.head) std::memmove(out + length, out + chunk_.head, chunk_.size);
  std::memcpy(out, head.data(), length);
  out += length + chunk_.size;
  std::memcpy(out, payload.data(), payload.size());
  std::memcpy(out + payload.size(), kEnd.data(), kEnd.size());
  chunk_.head = length;
  chunk_.size += payload.size();
  chunk_.end = used_ = chunk_.at + length + chunk_.size + kEnd.size();
}

void Outbox::send_with(engine::StreamId stream, std::string_view bytes, std::string_view end) {
  if (stream != stream_) flush();
  const std::string_view gathered{bytes_.get(), take_used()};
  const std::array pieces{gathered, bytes, end};
  engine_.send_pieces(stream, pieces);
}

// Nothing is gathered now. Heads are bounded by the `head` limit, so this happens a few times at most.
void Outbox::grow(std::size_t bound) {
  bytes_.reset(new char[bound]);
  capacity_ = bound;
}

std::size_t Outbox::take_used() {
  chunk_ = {};
  return std::exchange(used_, 0);
}

void Outbox::flush() {
  if (used_ > 0) engine_.send(stream_, {bytes_.get(), take_used()});
}

}  // namespace gray::proxy
