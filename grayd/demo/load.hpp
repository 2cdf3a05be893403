#pragma once
// The users of the demo: threads with one kept connection each, which ask for a page as users drawn at random, in a
// common pace. While grayd is away they try again four times a second. All end with this object, after the answers that
// are in flight.
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "grayd/demo/pace.hpp"
#include "grayd/demo/tally.hpp"

namespace gray::demo {

class Load {
 public:
  /// On 127.0.0.1.
  explicit Load(std::uint16_t port);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Tally tally() const;  // a copy
  void forget_faults();

 private:
  void ask_until_end();
  /// Waits for its turn: the user, or nothing at the end.
  std::optional<int> next_user();
  bool ended_within(Duration time);

  std::uint16_t port_;
  mutable std::mutex mutex_;
  std::condition_variable end_comes_;
  bool ends_ = false;
  Pace pace_;
  std::mt19937 random_;
  Tally tally_;
  std::vector<std::thread> threads_;
};

}  // namespace gray::demo
