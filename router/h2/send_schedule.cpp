#include "router/h2/send_schedule.hpp"

namespace gray::h2 {

void SendSchedule::add(Stream& stream) {
  if (stream.queued) return;
  stream.queued = true;
  stream.next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = &stream;
  last_ = &stream;
}

void SendSchedule::remove(Stream& stream) {
  if (!stream.queued) return;
  Stream* before = nullptr;
  for (Stream* at = first_; at != &stream; at = at->next) before = at;
  (before == nullptr ? first_ : before->next) = stream.next;
  if (last_ == &stream) last_ = before;
  stream.queued = false;
  stream.next = nullptr;
}

Stream* SendSchedule::next() {
  Stream* const stream = first_;
  if (stream != nullptr) remove(*stream);
  return stream;
}

}  // namespace gray::h2
