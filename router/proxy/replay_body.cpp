#include "router/proxy/replay_body.hpp"

#include "router/policy/retry.hpp"

namespace gray::proxy {

void ReplayBody::keep(std::string_view payload, std::uint64_t connection) {
  if (!whole_) return;
  whole_ =
      bytes_.size() + payload.size() <= policy::kReplayBytes && buffers_.reserve(bytes_, payload.size(), connection);
  whole_ ? bytes_.append(payload) : bytes_.reset();
  bytes_.touch("replay body");
}

}  // namespace gray::proxy
