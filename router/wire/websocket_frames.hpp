#pragma once
// Where the frames of one direction of a WebSocket begin and end (RFC 6455 5.2). It reads lengths and skips payload:
// nothing is unmasked, checked or kept. Bytes in, in any pieces; O(1) for each header and piece.
//
// A control frame may stand between any two frames, also within a fragmented message: at a frame boundary the router
// can insert a Close frame.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gray::http {

class WebSocketFrames {
 public:
  void feed(std::string_view bytes);
  /// The next byte would begin a frame. Never again after an impossible length.
  bool at_boundary() const { return got_ == 0 && payload_ == 0 && !lost_; }
  /// The header of a Close frame has passed.
  bool closed() const { return closed_; }

 private:
  static constexpr std::size_t kLongestHeader = 14;

  std::size_t header_size() const;
  void begin_payload();

  std::array<unsigned char, kLongestHeader> header_;  // of the frame that begins; the first got_ bytes
  std::uint8_t got_ = 0;
  bool lost_ = false;
  bool closed_ = false;
  std::uint64_t payload_ = 0;  // bytes of it that are still to come
};

/// The longest frame that write_going_away() writes.
inline constexpr std::size_t kMaxCloseFrame = 8;

/// Writes a Close frame with status 1001, "going away", masked with the four bytes of `mask` if it is not empty (as
/// everything from a client must be), and returns its length.
std::size_t write_going_away(std::string_view mask, char* out);

}  // namespace gray::http
