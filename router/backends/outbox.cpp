#include "router/backends/outbox.hpp"

#include <array>
#include <cstring>

namespace gray::proxy {

void Outbox::append(engine::StreamId stream, std::string_view bytes, std::string_view end) {
  if (bytes.size() > kCopied) return send_with(stream, bytes, end);
  char* out = room(stream, bytes.size() + end.size());
  std::memcpy(out, bytes.data(), bytes.size());
  if (!end.empty()) std::memcpy(out + bytes.size(), end.data(), end.size());
  commit(bytes.size() + end.size());
}

void Outbox::send_with(engine::StreamId stream, std::string_view bytes, std::string_view end) {
  if (stream != stream_) flush();
  const std::string_view gathered{bytes_.get(), stream == stream_ ? used_ : 0};
  used_ = 0;
  const std::array pieces{gathered, bytes, end};
  engine_.send_pieces(stream, pieces);
}

// Nothing is gathered now. Heads are bounded by the `head` limit, so this happens a few times at most.
void Outbox::grow(std::size_t bound) {
  bytes_.reset(new char[bound]);
  capacity_ = bound;
}

void Outbox::flush() {
  if (used_ == 0) return;
  const std::size_t length = used_;
  used_ = 0;
  engine_.send(stream_, {bytes_.get(), length});
}

}  // namespace gray::proxy
