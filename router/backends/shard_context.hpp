#pragma once
// What all connections of one router thread share.
#include "router/backends/outbox.hpp"
#include "router/engine/buffer_pool.hpp"
#include "router/engine/engine.hpp"

namespace gray::http {
struct RequestHead;
struct ResponseHead;
}  // namespace gray::http

namespace gray::proxy {

struct ShardContext {
  engine::Engine& engine;
  engine::BufferPool& buffers;
  Outbox& outbox;
  http::RequestHead& request_scratch;  // parse results are large and short-lived: one for each thread
  http::ResponseHead& response_scratch;
};

}  // namespace gray::proxy
