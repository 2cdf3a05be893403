#pragma once
// The buffers of one router thread in figures, in the shared segment. Exactly one writer: that thread. The thread keeps
// its own figures and copies them here, so nothing depends on what another process writes.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace gray::segment {

/// Bytes of payload of the pooled buffers.
inline constexpr std::size_t kBufferSizes[] = {1024, 4096, 16384, 65536};
/// One class for each size, and one for all larger buffers, which are never kept.
inline constexpr std::size_t kBufferClasses = std::size(kBufferSizes) + 1;

/// The buffers of one class. Bytes of payload, except for `refused`.
struct BufferCounts {
  std::atomic<std::uint64_t> in_use, kept;  // gauges
  std::atomic<std::uint64_t> high_water;    // the most in use since the thread began; a gauge
  std::atomic<std::uint64_t> released;      // given back to the system
  std::atomic<std::uint64_t> refused;       // buffers that were not given: the budget or the memory was used up
};

/// Why a buffer counts as leaked (router/engine/leak_detector.hpp).
enum class LeakKind : std::uint8_t { owner_ended, too_old, pinned, drained, count };
inline constexpr std::size_t kLeakKinds = static_cast<std::size_t>(LeakKind::count);
/// "owner-ended", "too-old", "pinned", "drained".
const char* name_of(LeakKind kind);

struct alignas(64) MemoryCounts {
  BufferCounts buffers[kBufferClasses];
  std::atomic<std::uint64_t> leaks[kLeakKinds];  // buffers that were reported
};

}  // namespace gray::segment
