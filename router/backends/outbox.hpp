#pragma once
// Gathers the bytes that one event sends to one stream, so that a head and the first body bytes go out in one system
// call. One for each thread: a second stream flushes the first.
#include <cstddef>
#include <memory>
#include <string_view>

#include "router/engine/engine.hpp"

namespace gray::proxy {

class Outbox {
 public:
  /// Several heads, and small payload. For a larger head it grows.
  static constexpr std::size_t kCapacity = 64 * 1024;
  /// Payload of more bytes is not copied: it is sent at once, behind what is gathered.
  static constexpr std::size_t kCopied = 8 * 1024;

  explicit Outbox(engine::Engine& engine) : engine_(engine), bytes_(new char[kCapacity]) {}

  /// At least `bound` bytes of room for `stream`, to be followed by commit().
  char* room(engine::StreamId stream, std::size_t bound) {
    if (stream != stream_ || used_ + bound > capacity_) flush();
    if (bound > capacity_) grow(bound);
    stream_ = stream;
    return bytes_.get() + used_;
  }
  void commit(std::size_t length) { used_ += length; }

  void append(engine::StreamId stream, std::string_view bytes);
  /// The same for payload of a body in chunks, not empty. Chunks that directly follow each other are gathered as one,
  /// so that one event writes one; only payload that is not copied is a chunk of its own.
  void append_chunk(engine::StreamId stream, std::string_view payload);
  /// Bytes gathered for `stream`.
  std::size_t gathered(engine::StreamId stream) const { return stream == stream_ ? used_ : 0; }
  /// Bytes of its buffer.
  std::size_t memory() const { return capacity_; }
  /// Sends the gathered bytes. Every event ends with it.
  void flush();

 private:
  /// The last gathered chunk. It can grow while nothing is behind it.
  struct Chunk {
    std::size_t at = 0;    // of its head
    std::size_t head = 0;  // bytes of "HEX CRLF"
    std::size_t size = 0;  // bytes of its payload
    std::size_t end = 0;   // behind its CRLF; 0: there is none
  };

  void grow(std::size_t bound);
  std::size_t take_used();
  void send_with(engine::StreamId stream, std::string_view bytes, std::string_view end);

  engine::Engine& engine_;
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = kCapacity;
  engine::StreamId stream_;
  std::size_t used_ = 0;
  Chunk chunk_;
};

}  // namespace gray::proxy
