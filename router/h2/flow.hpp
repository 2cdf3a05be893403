#pragma once
// Flow control windows (RFC 9113 sections 5.2 and 6.9). Pure: counts in, decisions out.
#include <cstdint>

namespace gray::h2 {

inline constexpr std::int64_t kMaxWindow = 0x7fffffff;
inline constexpr std::int32_t kFirstWindow = 65535;  // of every stream and connection, before any change

/// What we may still send. It can be negative: the peer may lower the initial size of its streams at any time.
class SendWindow {
 public:
  SendWindow() = default;
  explicit SendWindow(std::int32_t size) : size_(size) {}
  std::int32_t size() const { return size_; }
  /// Bytes that may be sent now.
  std::uint32_t room() const { return size_ > 0 ? static_cast<std::uint32_t>(size_) : 0; }
  void take(std::uint32_t bytes) { size_ -= static_cast<std::int32_t>(bytes); }
  /// A WINDOW_UPDATE, or a change of the initial size. False: it would exceed 2^31-1; nothing has changed.
  bool change(std::int64_t by);

 private:
  std::int32_t size_ = kFirstWindow;
};

/// What the peer may still send. Credit is given for bytes that were consumed, not for those that came, and in pieces
/// of at least half the window: then one WINDOW_UPDATE serves many frames.
class ReceiveWindow {
 public:
  ReceiveWindow() = default;
  explicit ReceiveWindow(std::uint32_t size) : full_(size), left_(size) {}
  std::uint32_t left() const { return left_; }
  /// Bytes that came and were not consumed.
  std::uint32_t unconsumed() const { return unconsumed_; }
  /// Bytes of a DATA frame came, its padding included. False: more than the window allows.
  bool take(std::uint32_t bytes);
  /// Returns the increment of the WINDOW_UPDATE that is due; 0: none.
  std::uint32_t consume(std::uint32_t bytes);

 private:
  std::uint32_t full_ = kFirstWindow, left_ = kFirstWindow;
  std::uint32_t unconsumed_ = 0;
};

}  // namespace gray::h2
