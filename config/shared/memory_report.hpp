#pragma once
// Which part of a router holds how much memory: what a router answers when the master asks it, and what the master adds
// from /proc. Plain values.
//
// An owner is a kind of holder. Bytes are those of the process, as its allocator counts them, but for the buffers of
// the kernel's sockets, which are in no process. High-water marks are the largest bytes of one look: about one a second
// while connections are open, and every report. They are added up over the threads of a router.
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/shared/router_view.hpp"

namespace gray {

inline constexpr std::size_t kLargestHolders = 10;  // in a report
inline constexpr std::size_t kHolderText = 200;     // bytes of the path of one
inline constexpr std::size_t kMemoryShares = 2048;  // at most, in a report of one router
inline constexpr std::size_t kLeakSites = 64;       // likewise

enum class MemoryOwner : std::uint8_t {
  clients,         // connections of clients, with the request that they have in progress
  workers,         // connections to workers
  queue,           // connections of clients whose request waits for a socket
  tunnels,         // both connections of each tunnel
  pools,           // kept for the next request: buffers, objects of connections and transactions
  logs,            // buffers of the access log
  event_loops,     // sets of sockets, timers, scratch buffers of each thread
  routing_tables,  // with what is derived from them
  segment,         // the segment that is shared with the master: its pages in use
  allowlists,      // likewise
  code,            // of the program and its libraries, with their data
  stacks,
  free_heap,       // of the allocator: freed, not given back
  kernel_sockets,  // in the kernel, not in the process: received and unsent bytes of all sockets
  count
};
constexpr MemoryOwner last_value(MemoryOwner) { return MemoryOwner::kernel_sockets; }
const char* name_of(MemoryOwner owner);
/// Whether its bytes are memory of the process.
constexpr bool in_process(MemoryOwner owner) { return owner != MemoryOwner::kernel_sockets; }

/// What a holder waits for.
enum class WaitsFor : std::uint8_t {
  next_request,
  client_head,
  client_body,
  client_read,
  client_close,
  socket,  // to a worker: it is queued
  worker_connect,
  worker_read,
  worker_answer,
  worker_send,  // the rest of its answer
  either_side,  // of a tunnel
};
constexpr WaitsFor last_value(WaitsFor) { return WaitsFor::either_side; }
/// "client to read"; of a socket: "a socket of v2".
std::string text_of(WaitsFor waits_for, const std::string& version);

struct MemoryShare {
  MemoryOwner owner = MemoryOwner::clients;
  std::optional<std::uint32_t> row;  // of the version in the segment; none: it belongs to none
  std::uint64_t count = 0;           // connections, or pieces
  std::uint64_t bytes = 0;
  std::uint64_t high_water = 0;

  template <class Io>
  void archive(Io& io) {
    io("owner", owner);
    io("row", row);
    io("count", count);
    io("bytes", bytes);
    io("high_water", high_water);
  }
};

/// One connection with what it holds.
struct MemoryHolder {
  MemoryOwner owner = MemoryOwner::clients;
  std::optional<std::uint32_t> row;
  std::string client;  // "192.0.2.1:4711"; empty: none, or a unix socket
  std::string path;    // of its request, printable, at most kHolderText bytes; empty: it has none
  std::string worker;  // "web@v1#0"; empty: none
  std::uint64_t bytes = 0;
  std::uint64_t kernel_bytes = 0;
  std::uint64_t age_ms = 0;  // of the request; between two: since the last one
  WaitsFor waits_for = WaitsFor::next_request;

  template <class Io>
  void archive(Io& io) {
    io("owner", owner);
    io("row", row);
    io("client", client);
    io("path", path);
    io("worker", worker);
    io("bytes", bytes);
    io("kernel_bytes", kernel_bytes);
    io("age_ms", age_ms);
    io("waits_for", waits_for);
  }
};

/// Buffers that were lost, by the place in the code that took them.
struct MemoryLeak {
  std::string site;  // "router/engine/send_tail.cpp:12"
  std::uint64_t count = 0, bytes = 0;
  std::string held_by;  // who held them last

  template <class Io>
  void archive(Io& io) {
    io("site", site);
    io("count", count);
    io("bytes", bytes);
    io("held_by", held_by);
  }
};

/// Of one router, made by itself.
struct MemoryReport {
  std::vector<MemoryShare> shares;    // one for each owner and row
  std::vector<MemoryHolder> largest;  // the largest first, at most kLargestHolders
  std::vector<MemoryLeak> leaks;      // at most kLeakSites
  std::vector<std::uint64_t> stacks;  // an address in the stack of each thread
  std::uint64_t heap_used = 0;        // bytes that are allocated; 0: not known
  std::uint64_t heap_free = 0;        // bytes that the allocator keeps
  std::uint64_t longest_turn_us = 0;  // CPU time, the most for which the report held up one thread

  template <class Io>
  void archive(Io& io) {
    io("shares", shares);
    io.check("shares", shares.size() <= kMemoryShares, "a bounded list");
    io("largest", largest);
    io.check("largest", largest.size() <= kLargestHolders, "a bounded list");
    io("leaks", leaks);
    io.check("leaks", leaks.size() <= kLeakSites, "a bounded list");
    io("stacks", stacks);
    io("heap_used", heap_used);
    io("heap_free", heap_free);
    io("longest_turn_us", longest_turn_us);
  }
};

/// Of one router, as the master sees it.
struct RouterMemory {
  pid_t pid = 0;
  RouterState state = RouterState::ready;
  bool answered = false;  // else the rest is empty
  MemoryReport report;    // with the shares that only /proc can tell
  std::uint64_t rss = 0;  // bytes, of the whole process
};

}  // namespace gray
