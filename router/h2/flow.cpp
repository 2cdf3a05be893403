#include "router/h2/flow.hpp"

namespace gray::h2 {

bool SendWindow::change(std::int64_t by) {
  const std::int64_t size = size_ + by;
  if (size > kMaxWindow || size < -kMaxWindow) return false;
  size_ = static_cast<std::int32_t>(size);
  return true;
}

bool ReceiveWindow::take(std::uint32_t bytes) {
  if (bytes > left_) return false;
  left_ -= bytes;
  unconsumed_ += bytes;
  return true;
}

// What was consumed and not yet credited: full_ - left_ - unconsumed_.
std::uint32_t ReceiveWindow::consume(std::uint32_t bytes) {
  unconsumed_ -= bytes < unconsumed_ ? bytes : unconsumed_;
  const std::uint32_t owed = full_ - left_ - unconsumed_;
  if (owed < full_ / 2) return 0;
  left_ += owed;
  return owed;
}

}  // namespace gray::h2
