#pragma once
// One HTTP/2 stream of a server: a request and its answer (RFC 9113 section 5.1).
//
// Model: `request` and `answer` are the two halves. A stream exists from its HEADERS until the owner releases it, also
// when it was reset: what the owner still does for it counts against the limit of streams.
#include <cstdint>
#include <memory>
#include <vector>

#include "router/h2/flow.hpp"

namespace gray::h2 {

inline constexpr std::uint64_t kAnyLength = UINT64_MAX;

struct Stream {
  enum class Half : std::uint8_t { open, ended, reset };

  std::uint32_t id = 0;
  Half request = Half::open;  // what we receive
  Half answer = Half::open;   // what we send
  bool reset_by_peer = false;
  bool queued = false;  // in a SendSchedule
  SendWindow send;
  ReceiveWindow receive;
  std::uint64_t length_left = kAnyLength;  // of the request's Content-Length
  void* user = nullptr;                    // the owner's
  Stream* next = nullptr;                  // in a SendSchedule, or in the pool

  bool is_reset() const { return answer == Half::reset; }
};

/// Streams for the connections of a thread. It keeps at most kKept free ones.
class StreamPool {
 public:
  StreamPool() = default;
  StreamPool(const StreamPool&) = delete;
  StreamPool& operator=(const StreamPool&) = delete;
  ~StreamPool();
  /// Throws std::bad_alloc.
  Stream* take();
  void give(Stream* stream);
  std::size_t kept() const { return kept_; }

 private:
  static constexpr std::size_t kKept = 1024;
  Stream* free_ = nullptr;
  std::size_t kept_ = 0;
};

}  // namespace gray::h2
