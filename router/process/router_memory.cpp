// Which part of the router holds how much memory: each thread looks at what it holds, the last one joins the results.
#include <malloc.h>

#include <algorithm>

#include "router/process/router.hpp"

namespace gray::proxy {
namespace {

/// The results of the threads that have answered.
struct Joined {
  std::mutex mutex;
  std::size_t left = 0;  // threads
  stats::MemoryTally tally;
  MemoryReport report;

  /// On the thread of the result. True: it was the last one.
  bool add(const MemoryScan::Result& result, const std::vector<MemoryLeak>& leaks) {
    const std::lock_guard lock(mutex);
    tally.merge(result.tally);
    for (const MemoryLeak& leak : leaks) add(leak);
    report.stacks.push_back(reinterpret_cast<std::uintptr_t>(&lock));
    report.longest_turn_us = std::max(report.longest_turn_us, static_cast<std::uint64_t>(result.longest_turn.count()));
    return --left == 0;
  }
  void add(const MemoryLeak& leak) {
    const auto known = std::ranges::find(report.leaks, leak.site, &MemoryLeak::site);
    if (known != report.leaks.end()) {
      known->count += leak.count;
      known->bytes += leak.bytes;
    } else if (report.leaks.size() < kLeakSites) {
      report.leaks.push_back(leak);
    }
  }
};

}  // namespace

void Router::weigh(std::uint64_t number) {
  auto joined = std::make_shared<Joined>();
  joined->left = shards_.size();
  for (const auto& shard : shards_) {
    shard->post([this, joined, number, &shard = *shard] {
      shard.weigh([this, joined, number, &shard](const MemoryScan::Result& result) {
        if (!joined->add(result, shard.leaks())) return;
        main_->post([this, joined, number] {
          ChannelMessage answer;
          answer.type = ChannelMessage::Type::weighed;
          answer.number = number;
          answer.memory = std::move(joined->report);
          joined->tally.report(answer.memory);
          const struct mallinfo2 heap = ::mallinfo2();
          answer.memory.heap_used = heap.uordblks + heap.hblkhd;
          answer.memory.heap_free = heap.fordblks;
          report(std::move(answer));
        });
      });
    });
  }
}

}  // namespace gray::proxy
