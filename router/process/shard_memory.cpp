// What a thread holds, in parts that a look takes one after the other.
#include <algorithm>

#include "router/engine/heap_bytes.hpp"
#include "router/process/shard.hpp"

namespace gray::proxy {

using engine::heap_bytes;

std::vector<MemoryScan::Part> Shard::memory_parts() {
  const auto clients = [this](std::size_t from, std::size_t count, bool with_kernel, stats::MemoryTally& tally) {
    const std::size_t to = std::min(downstreams_.size(), from + count);
    for (std::size_t i = from; i < to; ++i) downstreams_.at(i).look(with_kernel, tally);
    return to - std::min(from, to);
  };
  const auto workers = [this](std::size_t from, std::size_t count, bool with_kernel, stats::MemoryTally& tally) {
    return backends_.look(from, count, with_kernel, tally);
  };
  const auto rest = [this](std::size_t, std::size_t, bool, stats::MemoryTally& tally) {
    look_at_rest(tally);
    return std::size_t{0};
  };
  return {clients, workers, rest};
}

void Shard::look_at_rest(stats::MemoryTally& tally) const {
  tally.add(MemoryOwner::pools, {}, buffers_.kept(), 0);
  tally.add(MemoryOwner::pools, {}, transactions_.unused() * heap_bytes(sizeof(Transaction)), transactions_.unused());
  tally.add(MemoryOwner::pools, {}, engine_->spare_memory(), 0);
  tally.add(MemoryOwner::logs, {}, recorder_.log_memory());
  tally.add(MemoryOwner::routing_tables, {}, tables_.memory(), tables_.size());
  const std::size_t heads = heap_bytes(sizeof(http::RequestHead)) + 2 * heap_bytes(sizeof(http::ResponseHead));
  tally.add(MemoryOwner::event_loops, {},
            engine_->own_memory() + outbox_.memory() + heads + downstreams_.own_memory() + backends_.own_memory() +
                heap_bytes(sizeof(Shard)));
}

std::vector<MemoryLeak> Shard::leaks() const {
  const std::uint64_t per = buffers_.detector().per();
  std::vector<MemoryLeak> leaks;
  for (const engine::Leak& leak : buffers_.detector().leaks()) {
    leaks.push_back({.site = engine::text_of(leak.site),
                     .count = leak.count * per,
                     .bytes = leak.bytes * per,
                     .held_by = leak.held_by});
  }
  return leaks;
}

void Shard::weigh(MemoryScan::Done done) { scan_.report(std::move(done)); }

}  // namespace gray::proxy
