#include "router/wire/websocket_frames.hpp"

#include <algorithm>

namespace gray::http {

namespace {

constexpr unsigned kClose = 0x8;    // opcode
constexpr unsigned kMasked = 0x80;  // of the second byte
constexpr std::size_t kMaskBytes = 4;
constexpr unsigned char kGoingAway[] = {0x03, 0xe9};  // 1001

}  // namespace

void WebSocketFrames::feed(std::string_view bytes) {
  while (!bytes.empty() && !lost_) {
    if (payload_ > 0) {
      const std::uint64_t skipped = std::min<std::uint64_t>(payload_, bytes.size());
      payload_ -= skipped;
      bytes.remove_prefix(static_cast<std::size_t>(skipped));
      continue;
    }
    header_[got_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (got_ >= 2 && got_ == header_size()) begin_payload();
  }
}

// Of the frame whose first two bytes are there.
std::size_t WebSocketFrames::header_size() const {
  const unsigned length = header_[1] & 0x7fu;
  const std::size_t extended = length == 127 ? 8 : length == 126 ? 2 : 0;
  return 2 + extended + ((header_[1] & kMasked) != 0 ? kMaskBytes : 0);
}

void WebSocketFrames::begin_payload() {
  const unsigned length = header_[1] & 0x7fu;
  const std::size_t extended = length == 127 ? 8 : length == 126 ? 2 : 0;
  payload_ = extended == 0 ? length : 0;
  for (std::size_t i = 0; i < extended; ++i) payload_ = payload_ << 8 | header_[2 + i];
  lost_ = payload_ >> 63 != 0;  // the RFC's own bound
  closed_ = closed_ || (header_[0] & 0x0fu) == kClose;
  got_ = 0;
}

std::size_t write_going_away(std::string_view mask, char* out) {
  char* at = out;
  *at++ = static_cast<char>(0x80 | kClose);
  *at++ = static_cast<char>(sizeof kGoingAway | (mask.empty() ? 0 : kMasked));
  at = std::copy(mask.begin(), mask.end(), at);
  for (std::size_t i = 0; i < sizeof kGoingAway; ++i)
    *at++ = static_cast<char>(kGoingAway[i] ^ (mask.empty() ? 0u : static_cast<unsigned char>(mask[i])));
  return static_cast<std::size_t>(at - out);
}

}  // namespace gray::http
