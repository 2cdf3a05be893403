#pragma once
// The unsent tail of a stream: bytes that the kernel did not take, in pooled chunks, first in first out. Empty tails
// hold no memory. One thread.
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "router/engine/buffer_pool.hpp"

namespace gray::engine {

class SendTail {
 public:
  static constexpr std::size_t kChunk = 4096;

  bool empty() const { return kept_ == nullptr; }
  std::size_t size() const { return kept_ == nullptr ? 0 : kept_->bytes; }
  /// Bytes of memory, with all overhead.
  std::size_t held() const;
  /// False when the pool's budget is used up; what was appended before stays.
  bool append(std::string_view bytes, BufferPool& pool, std::uint64_t owner);
  /// The first pieces, at most `max`; returns how many.
  std::size_t pieces(iovec* out, std::size_t max);
  /// The first `count` bytes have been sent; at most size().
  void consume(std::size_t count);
  void clear() { kept_.reset(); }

 private:
  struct Kept {
    std::vector<Buffer> chunks;
    std::size_t first = 0;   // index of the first chunk that is not sent completely
    std::size_t offset = 0;  // bytes of it that are sent
    std::size_t bytes = 0;
  };
  std::unique_ptr<Kept> kept_;  // null: empty
};

}  // namespace gray::engine
