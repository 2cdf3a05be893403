#pragma once
// Cuts the bytes of a connection into frames, however they arrive. Pure.
//
// Model: feed() returns the next step. After `head` the caller says how it takes the payload: whole (gathered if it
// comes in pieces), in pieces as they come, or not at all. Then come the steps `payload`, the final one with `last`; a
// frame without payload has one, empty. `more`: all bytes are used, and the next ones are needed.
//
// Invariants: at most one frame is gathered, in memory of its size, and only while it is incomplete. The caller has
// checked its length by then. Views are valid until the next call.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "router/h2/frame.hpp"

namespace gray::h2 {

class FrameReader {
 public:
  enum class Take : std::uint8_t { whole, pieces, nothing };
  struct Step {
    enum class Kind : std::uint8_t { more, head, payload };
    Kind kind = Kind::more;
    std::size_t consumed = 0;  // bytes of the input
    std::string_view payload;
    bool last = false;  // the frame ends with it
  };

  Step feed(std::string_view bytes);
  /// The current frame.
  const FrameHead& head() const { return head_; }
  /// To be called after Kind::head, before the next feed().
  void take(Take how) { take_ = how; }
  /// Bytes of heap memory.
  std::size_t memory() const { return partial_ == nullptr ? 0 : head_.length; }

 private:
  Step read_head(std::string_view bytes);
  Step gather(std::string_view bytes);

  FrameHead head_;
  std::uint32_t left_ = 0;  // bytes of the payload that did not come yet
  bool in_payload_ = false;
  Take take_ = Take::nothing;
  std::uint8_t head_bytes_ = 0;
  std::array<char, kFrameHead> head_text_;
  std::unique_ptr<char[]> partial_;
};

}  // namespace gray::h2
