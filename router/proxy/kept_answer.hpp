#pragma once
// The answer of the version that was asked first for an asset that it does not have. It is kept while other versions
// are asked, and sent if none of them has the asset. At most policy::kDroppedBytes of head and body: a larger answer,
// or one that does not end, is not kept.
#include "router/engine/buffer_pool.hpp"
#include "router/wire/head.hpp"

namespace gray::proxy {

class KeptAnswer {
 public:
  explicit KeptAnswer(engine::BufferPool& buffers) : buffers_(buffers) {}

  void begin(const http::Response& head, std::uint64_t connection);
  // The three below have an effect only between begin() and end().
  void add(std::string_view payload);
  void end();
  /// Drops an answer that has not ended.
  void settle();
  /// Whether a complete answer is kept.
  bool whole() const { return state_ == State::whole; }
  /// Its head, parsed into `scratch`. `method` is that of the request.
  const http::Response& head(http::Method method, http::ResponseHead& scratch) const;
  std::string_view body() const { return bytes_.view().substr(head_size_); }
  /// Bytes of memory.
  std::size_t held() const { return bytes_.held(); }
  void drop() {
    bytes_.reset();
    head_size_ = 0;
    state_ = State::none;
  }

 private:
  enum class State : std::uint8_t { none, growing, whole };

  engine::BufferPool& buffers_;
  engine::Buffer bytes_;  // the head, as HTTP/1, and the body without its framing
  std::size_t head_size_ = 0;
  std::uint64_t connection_ = 0;
  State state_ = State::none;
};

}  // namespace gray::proxy
