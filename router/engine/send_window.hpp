#pragma once
// How many bytes a sink may be given at once, from what it took before. The reads of its source have this size: what is
// read and not taken must be kept. Pure. One thread.
//
// Model: begins with kMinRead. A send of the whole window that was taken doubles it, up to kMaxRead. A send that was
// taken in part resets it. Sends of less than a quarter halve it, so that it follows what is being sent.
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace gray::engine {

inline constexpr std::size_t kMinRead = 8 * 1024;    // bytes
inline constexpr std::size_t kMaxRead = 256 * 1024;  // bytes of one read

class SendWindow {
 public:
  std::size_t size() const { return size_; }
  /// `taken` of the `offered` bytes were taken at once.
  void sent(std::size_t offered, std::size_t taken) {
    if (taken < offered) {
      size_ = kMinRead;
    } else if (offered >= size_) {
      size_ = std::min<std::uint32_t>(2 * size_, kMaxRead);
    } else if (offered < size_ / 4) {
      size_ = std::max<std::uint32_t>(size_ / 2, kMinRead);
    }
  }

 private:
  std::uint32_t size_ = kMinRead;
};

}  // namespace gray::engine
