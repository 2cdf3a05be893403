#include "router/h2/frame_reader.hpp"

#include <algorithm>
#include <utility>

namespace gray::h2 {

FrameReader::Step FrameReader::feed(std::string_view bytes) {
  if (!in_payload_) return read_head(bytes);
  if (take_ == Take::whole && (partial_ != nullptr || bytes.size() < left_)) return gather(bytes);
  if (bytes.empty() && left_ > 0) return {};
  const std::size_t size = std::min<std::size_t>(left_, bytes.size());
  left_ -= static_cast<std::uint32_t>(size);
  in_payload_ = left_ > 0;
  return {Step::Kind::payload, size, take_ == Take::nothing ? std::string_view() : bytes.substr(0, size), left_ == 0};
}

FrameReader::Step FrameReader::read_head(std::string_view bytes) {
  partial_.reset();
  const std::size_t used = std::min(kFrameHead - head_bytes_, bytes.size());
  bytes.copy(head_text_.data() + head_bytes_, used);
  head_bytes_ = static_cast<std::uint8_t>(head_bytes_ + used);
  if (head_bytes_ < kFrameHead) return {Step::Kind::more, used};
  head_ = read_frame_head(head_text_.data());
  head_bytes_ = 0;
  left_ = head_.length;
  in_payload_ = true;
  take_ = Take::nothing;
  return {Step::Kind::head, used};
}

FrameReader::Step FrameReader::gather(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (partial_ == nullptr) partial_ = std::make_unique_for_overwrite<char[]>(head_.length);
  const std::size_t used = std::min<std::size_t>(left_, bytes.size());
  bytes.copy(partial_.get() + (head_.length - left_), used);
  left_ -= static_cast<std::uint32_t>(used);
  if (left_ > 0) return {Step::Kind::more, used};
  in_payload_ = false;
  return {Step::Kind::payload, used, {partial_.get(), head_.length}, true};
}

}  // namespace gray::h2
