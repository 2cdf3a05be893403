#pragma once
// What all connections of one router thread share, whatever protocol they speak.
#include "router/backends/outbox.hpp"
#include "router/engine/buffer_pool.hpp"
#include "router/engine/engine.hpp"
#include "router/engine/memory_budget.hpp"

namespace gray::proxy {

struct ShardContext {
  engine::Engine& engine;
  engine::BufferPool& buffers;
  Outbox& outbox;
  engine::MemoryBudget& memory;  // of all threads
};

}  // namespace gray::proxy
