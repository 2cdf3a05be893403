#pragma once
// One question to all routers: which part of you holds how much memory? Callers that ask while it is asked share the
// answer. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <vector>

#include "config/shared/channel.hpp"
#include "config/shared/memory_report.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

class RouterWeighing {
 public:
  /// Within this time a router has answered, or it is reported as one that did not.
  static constexpr Duration kLimit{1'000};
  /// The routers in the order of asked(); never called synchronously.
  using Then = std::function<void(std::vector<RouterMemory> memory)>;

  explicit RouterWeighing(asio::io_context& io) : io_(io), deadline_(io) {}

  /// True: the question is new, so asked() is to be called for each router, then wait().
  bool ask(Then then);
  std::uint64_t number() const { return number_; }
  void asked(pid_t pid, RouterState state);
  void wait();
  /// The router has answered. Answers to earlier questions are ignored.
  void answered(pid_t pid, std::uint64_t number, MemoryReport report);
  /// The router has ended: nobody waits for it.
  void ended(pid_t pid);

 private:
  struct Asked {
    RouterMemory memory;
    bool awaited = true;
  };
  void settle();
  void finish();

  asio::io_context& io_;
  std::uint64_t number_ = 0;
  std::vector<Then> callers_;
  std::vector<Asked> routers_;
  asio::steady_timer deadline_;
  Lifetime lifetime_;
};

}  // namespace gray::master
