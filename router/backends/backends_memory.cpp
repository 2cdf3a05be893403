// What the connections to workers hold, for reports. Connections that an exchange uses are counted with it
// (proxy/exchange_memory.cpp).
#include <algorithm>

#include "router/backends/backends.hpp"
#include "router/backends/upstream.hpp"
#include "router/engine/heap_bytes.hpp"

namespace gray::proxy {

engine::StreamMemory Upstream::memory(bool with_kernel) const {
  engine::StreamMemory memory = shard_.engine.memory(stream_, with_kernel);
  if (memory.process > 0) memory.process += engine::heap_bytes(sizeof(Upstream)) + partial_.held() + trailers_.held();
  return memory;
}

void Backends::look(const Upstream& upstream, bool with_kernel, stats::MemoryTally& tally) const {
  const engine::StreamMemory memory = upstream.memory(with_kernel);
  if (memory.process == 0) return tally.add(MemoryOwner::pools, {}, engine::heap_bytes(sizeof(Upstream)));  // a spare
  if (!upstream.idle()) return;
  const Worker& worker = upstream.worker();
  tally.add(MemoryOwner::workers, worker.version->row, memory.process);
  if (with_kernel) tally.add(MemoryOwner::kernel_sockets, worker.version->row, memory.kernel);
  if (!with_kernel || !tally.is_large(memory.process + memory.kernel)) return;
  MemoryHolder holder{.owner = MemoryOwner::workers,
                      .row = worker.version->row,
                      .worker = worker.id,
                      .bytes = memory.process,
                      .kernel_bytes = memory.kernel,
                      .waits_for = memory.unsent > 0 ? WaitsFor::worker_read : WaitsFor::next_request};
  if (upstream.linked)
    holder.age_ms =
        static_cast<std::uint64_t>(std::chrono::duration_cast<Duration>(engine_.now() - upstream.since).count());
  tally.hold(std::move(holder));
}

std::size_t Backends::look(std::size_t from, std::size_t count, bool with_kernel, stats::MemoryTally& tally) const {
  const std::size_t to = std::min(upstreams_.size(), from + count);
  for (std::size_t i = from; i < to; ++i) look(upstreams_.at(i), with_kernel, tally);
  return to - std::min(from, to);
}

std::size_t Backends::own_memory() const {
  std::size_t bytes = engine::heap_bytes(versions_.capacity() * sizeof(Version)) + upstreams_.own_memory();
  for (const Version& version : versions_)
    for (const Worker& worker : version.workers)
      bytes += engine::heap_bytes(sizeof(Worker) + 2 * sizeof(void*)) + engine::heap_bytes(worker.id) +
               engine::heap_bytes(worker.address.path);
  return bytes;
}

}  // namespace gray::proxy
