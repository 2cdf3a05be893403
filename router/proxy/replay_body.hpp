#pragma once
// The request body so far, kept while it is small and no answer has begun, so that an attempt that fails can be
// repeated.
#include "router/engine/buffer_pool.hpp"

namespace gray::proxy {

class ReplayBody {
 public:
  explicit ReplayBody(engine::BufferPool& buffers) : buffers_(buffers) {}

  /// A new request.
  void begin() { whole_ = true; }
  void keep(std::string_view payload, std::uint64_t connection);
  /// All of the body so far is kept.
  bool whole() const { return whole_; }
  std::string_view view() const { return bytes_.view(); }
  void drop() { bytes_.reset(); }
  /// Bytes of memory.
  std::size_t held() const { return bytes_.held(); }

 private:
  engine::BufferPool& buffers_;
  engine::Buffer bytes_;
  bool whole_ = true;
};

}  // namespace gray::proxy
