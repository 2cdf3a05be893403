#pragma once
// A bounded number of places, for callers that stay for long.
#include <atomic>

namespace gray::control {

/// Thread-safe.
class Seats {
 public:
  explicit Seats(int count) : free_(count) {}
  /// Holds a seat until it is destroyed; false if none was free.
  class Taken {
   public:
    explicit Taken(Seats& seats) : seats_(seats), taken_(seats.free_.fetch_sub(1) > 0) {}
    ~Taken() { seats_.free_.fetch_add(1); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    explicit operator bool() const { return taken_; }

   private:
    Seats& seats_;
    bool taken_;
  };

 private:
  std::atomic<int> free_;
};

}  // namespace gray::control
