#pragma once
// An engine that only records what is sent.
#include <string>
#include <vector>

#include "tests/router/backends/silent_engine.hpp"

namespace gray::test {

/// Records what is sent; all other functions do nothing.
struct SendLog final : SilentEngine {
  struct Sent {
    engine::StreamId stream;
    std::string bytes;
  };
  std::vector<Sent> sent;

  void send(engine::StreamId stream, std::string_view bytes) override { sent.push_back({stream, std::string(bytes)}); }
  void send_pieces(engine::StreamId stream, std::span<const std::string_view> pieces) override {
    sent.push_back({stream, ""});
    for (const std::string_view piece : pieces) sent.back().bytes += piece;
  }
};

}  // namespace gray::test
