#pragma once
// Round robin among the streams of a connection that have payload to send. Intrusive: no allocation. A stream is
// removed before it is released.
#include "router/h2/stream.hpp"

namespace gray::h2 {

class SendSchedule {
 public:
  /// At the end, unless it is there already.
  void add(Stream& stream);
  /// No effect on a stream that is not there.
  void remove(Stream& stream);
  /// Takes the first one off; null: there is none. A stream with more to send is added again.
  Stream* next();
  bool empty() const { return first_ == nullptr; }

 private:
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
};

}  // namespace gray::h2
