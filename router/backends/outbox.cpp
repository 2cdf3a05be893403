#include "router/backends/outbox.hpp"

#include <cstring>

namespace gray::proxy {

void Outbox::append(engine::StreamId stream, std::string_view bytes) {
  if (bytes.size() > kCapacity) {
    flush();
    engine_.send(stream, bytes);
    return;
  }
  std::memcpy(room(stream, bytes.size()), bytes.data(), bytes.size());
  commit(bytes.size());
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
