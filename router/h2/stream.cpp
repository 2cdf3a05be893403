#include "router/h2/stream.hpp"

namespace gray::h2 {

StreamPool::~StreamPool() {
  while (free_ != nullptr) {
    Stream* const stream = free_;
    free_ = stream->next;
    delete stream;
  }
}

Stream* StreamPool::take() {
  if (free_ == nullptr) return new Stream;
  Stream* const stream = free_;
  free_ = stream->next;
  --kept_;
  *stream = Stream{};
  return stream;
}

void StreamPool::give(Stream* stream) {
  if (kept_ == kKept) {
    delete stream;
    return;
  }
  stream->next = free_;
  free_ = stream;
  ++kept_;
}

}  // namespace gray::h2
