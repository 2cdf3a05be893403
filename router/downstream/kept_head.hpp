#pragma once
// The head of a connection's current request, kept as bytes so that it can be parsed again: for an attempt that is
// repeated, or that waited for its worker while other requests used the thread's scratch. The scratch
// holds one parsed head at a time, for all HTTP/1 connections of the thread: a head is large and short-lived.
#include "router/engine/buffer_pool.hpp"
#include "router/proxy/client_side.hpp"
#include "router/wire/head.hpp"

namespace gray::proxy {

class KeptHead {
 public:
  KeptHead(engine::BufferPool& buffers, http::RequestHead& scratch) : buffers_(buffers), scratch_(scratch) {}

  /// Where a head is parsed before keep().
  http::RequestHead& scratch() { return scratch_; }
  /// Copies the head in the scratch. Views into the bytes that it was parsed from must not be used afterwards. False:
  /// there is no memory for it.
  bool keep(std::uint64_t connection);
  /// What an exchange keeps of it, as views into the copy. Only right after keep().
  RequestFacts facts(bool trusted) const;
  /// The whole head, in the scratch.
  const http::Request& read();
  /// From now on the scratch may hold another connection's head.
  void scratch_lost() { in_scratch_ = false; }
  void reset() { bytes_.reset(); }
  /// Bytes of memory.
  std::size_t held() const { return bytes_.held(); }

 private:
  std::string_view kept(std::string_view text) const;

  engine::BufferPool& buffers_;
  http::RequestHead& scratch_;
  engine::Buffer bytes_;
  bool in_scratch_ = false;
};

}  // namespace gray::proxy
