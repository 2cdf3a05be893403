#pragma once
// The head of the request that a client connection is busy with, kept as bytes so that it can be read again: for an
// attempt that is repeated, or that waited for its worker while other requests used the thread's scratch.
#include "router/backends/shard_context.hpp"
#include "router/proxy/client_side.hpp"

namespace gray::proxy {

class KeptHead {
 public:
  explicit KeptHead(const ShardContext& shard) : shard_(shard) {}

  /// Copies the head that the scratch holds, of which nobody may hold views afterwards. False: no memory.
  bool keep(std::uint64_t connection);
  /// What an exchange keeps of it, as views into the copy. Only right after keep().
  RequestFacts facts(bool trusted) const;
  /// The whole head, in the scratch.
  const http::Request& read();
  /// The scratch is somebody else's from now on.
  void scratch_lost() { in_scratch_ = false; }
  void reset() { bytes_.reset(); }

 private:
  std::string_view kept(std::string_view text) const;

  const ShardContext& shard_;
  engine::Buffer bytes_;
  bool in_scratch_ = false;
};

}  // namespace gray::proxy
