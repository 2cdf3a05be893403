#include "router/engine/send_tail.hpp"

#include <algorithm>

#include "router/engine/heap_bytes.hpp"

namespace gray::engine {

bool SendTail::append(std::string_view bytes, BufferPool& pool, std::uint64_t owner) {
  while (!bytes.empty()) {
    if (chunks_.empty() || chunks_.back().room() == 0) {
      Buffer chunk = pool.take(kChunk, owner);
      if (!chunk) return false;
      chunk.set_long_lived();  // it may wait as long as its stream for the peer
      chunk.touch("send tail");
      chunks_.push_back(std::move(chunk));
    }
    const std::size_t part = std::min(bytes.size(), chunks_.back().room());
    chunks_.back().append(bytes.substr(0, part));
    bytes_ += part;
    bytes.remove_prefix(part);
  }
  return true;
}

std::size_t SendTail::pieces(iovec* out, std::size_t max) {
  std::size_t count = 0;
  for (std::size_t i = first_; i < chunks_.size() && count < max; ++i, ++count) {
    const std::size_t skip = i == first_ ? offset_ : 0;
    out[count] = {chunks_[i].data() + skip, chunks_[i].size() - skip};
  }
  return count;
}

void SendTail::consume(std::size_t count) {
  bytes_ -= count;
  while (count > 0) {
    const std::size_t left = chunks_[first_].size() - offset_;
    if (count < left) {
      offset_ += count;
      break;
    }
    count -= left;
    offset_ = 0;
    chunks_[first_++].reset();
  }
  if (bytes_ == 0) clear();
}

std::size_t SendTail::held() const {
  std::size_t bytes = heap_bytes(chunks_.capacity() * sizeof(Buffer));
  for (const Buffer& chunk : chunks_) bytes += chunk.held();
  return bytes;
}

void SendTail::clear() {
  // The vector's own memory is freed too: an idle connection holds none.
  std::vector<Buffer>().swap(chunks_);
  first_ = offset_ = bytes_ = 0;
}

}  // namespace gray::engine
