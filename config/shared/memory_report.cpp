#include "config/shared/memory_report.hpp"

namespace gray {

const char* name_of(MemoryOwner owner) {
  constexpr const char* kNames[] = {
      "client-connections", "upstream-connections", "queue",   "tunnels",    "pools", "logs",
      "event-loops",        "routing-tables",       "segment", "allowlists", "code",  "stacks",
      "free-heap",          "kernel-sockets"};
  return kNames[static_cast<std::size_t>(owner)];
}

std::string text_of(WaitsFor waits_for, const std::string& version) {
  switch (waits_for) {
    case WaitsFor::next_request: return "the next request";
    case WaitsFor::client_head: return "client to send the head";
    case WaitsFor::client_body: return "client to send the body";
    case WaitsFor::client_read: return "client to read";
    case WaitsFor::client_close: return "client to close";
    case WaitsFor::socket: return "a socket of " + (version.empty() ? "its version" : version);
    case WaitsFor::worker_connect: return "worker to accept";
    case WaitsFor::worker_read: return "worker to read";
    case WaitsFor::worker_answer: return "worker to answer";
    case WaitsFor::worker_send: return "worker to send";
    case WaitsFor::either_side: return "either side to send";
  }
  return {};
}

}  // namespace gray
