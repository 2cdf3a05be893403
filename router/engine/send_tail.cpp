#include "router/engine/send_tail.hpp"

#include <algorithm>

#include "router/engine/heap_bytes.hpp"

namespace gray::engine {

bool SendTail::append(std::string_view bytes, BufferPool& pool, std::uint64_t owner) {
  if (bytes.empty()) return true;
  if (kept_ == nullptr) kept_ = std::make_unique<Kept>();
  while (!bytes.empty()) {
    if (kept_->chunks.empty() || kept_->chunks.back().room() == 0) {
      Buffer chunk = pool.take(kChunk, owner);
      if (!chunk) break;
      chunk.set_long_lived();  // it may wait as long as its stream for the peer
      chunk.touch("send tail");
      kept_->chunks.push_back(std::move(chunk));
    }
    Buffer& last = kept_->chunks.back();
    const std::size_t part = std::min(bytes.size(), last.room());
    last.append(bytes.substr(0, part));
    kept_->bytes += part;
    bytes.remove_prefix(part);
  }
  if (kept_->bytes == 0) clear();
  return bytes.empty();
}

std::size_t SendTail::pieces(iovec* out, std::size_t max) {
  if (kept_ == nullptr) return 0;
  std::size_t count = 0;
  for (std::size_t i = kept_->first; i < kept_->chunks.size() && count < max; ++i, ++count) {
    const std::size_t skip = i == kept_->first ? kept_->offset : 0;
    out[count] = {kept_->chunks[i].data() + skip, kept_->chunks[i].size() - skip};
  }
  return count;
}

void SendTail::consume(std::size_t count) {
  if (kept_ == nullptr) return;
  kept_->bytes -= count;
  if (kept_->bytes == 0) return clear();
  while (count > 0) {
    const std::size_t left = kept_->chunks[kept_->first].size() - kept_->offset;
    if (count < left) {
      kept_->offset += count;
      break;
    }
    count -= left;
    kept_->offset = 0;
    kept_->chunks[kept_->first++].reset();
  }
}

std::size_t SendTail::held() const {
  if (kept_ == nullptr) return 0;
  std::size_t bytes = heap_bytes(sizeof(Kept)) + heap_bytes(kept_->chunks.capacity() * sizeof(Buffer));
  for (const Buffer& chunk : kept_->chunks) bytes += chunk.held();
  return bytes;
}

}  // namespace gray::engine
