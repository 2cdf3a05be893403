#pragma once
// The shared segment: a memfd that the master makes and every router generation maps. It holds the data that must be
// exact across threads and overlapping routers (limits), or that must survive a router (counters). Routers write to it,
// so it holds nothing that gives power over other processes.
//
// Invariants
//  - A Row, a WireCounts, and a MemoryCounts has exactly one writer: one thread of the router that holds the slot.
//    Everyone may read at any time.
//  - No thread sleeps while a unit is free: a thread that waits sets its bit in `waiters` or `awaited` and then checks
//    the words once more; a thread that returns a unit checks these bits after that. Both are sequentially consistent,
//    so one of the two sees the other.
//  - A LimitWord is changed by compare-and-swap only. It holds one 16-bit share per slot; its total is their sum, so
//    the share of a dead slot is returned by clearing one field, whatever the router was doing when it died.
//  - The master assigns slots, and clears a slot after waitpid of its router (Segment::forget).
//  - A thread sets its bit in `writers` before it first writes a Row. Readers visit only such rows: to read a page that
//    was never written would allocate it. The bits of a slot are cleared with the slot.
//  - All-zero memory is a valid empty segment.
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "config/base/unique_fd.hpp"
#include "config/settings/capacity.hpp"
#include "config/shared/handshake_failure.hpp"
#include "config/shared/memory_counts.hpp"
#include "config/shared/recent_users.hpp"

namespace gray::segment {

inline constexpr std::uint64_t kMagic = 0x6772617973656731;  // "grayseg1"
inline constexpr std::uint32_t kLayout = 13;                 // raise with every change of the structs below
inline constexpr std::uint32_t kRouterSlots = 4;             // router generations alive at once
inline constexpr std::uint32_t kThreads = 32;                // per router

/// A limit that holds exactly across threads and routers.
class LimitWord {
 public:
  /// Takes one unit for `slot` unless `limit` (0..65535) units are taken in all.
  bool acquire(std::uint32_t slot, std::uint32_t limit);
  void release(std::uint32_t slot);
  /// Gives one unit of `slot` back if more than `floor` units are taken in all.
  bool release_above(std::uint32_t slot, std::uint32_t floor);
  std::uint32_t total() const;
  std::uint32_t share(std::uint32_t slot) const;
  void forget(std::uint32_t slot);  // returns the whole share of a dead slot

 private:
  std::atomic<std::uint64_t> shares_{0};
};

/// Why the router answered itself, or the exchange failed (contract 2.4); `none` for an answer from a worker.
enum class Reason : std::uint8_t {
  none,
  bad_request,
  expectation_failed,
  request_timeout,
  too_large,
  target_too_long,
  head_too_large,
  unsupported,
  version_unsupported,
  no_route,
  connect_failed,
  upstream_closed,
  upstream_invalid,
  connect_timeout,
  response_timeout,
  version_down,
  queue_full,
  queue_timeout,
  overloaded,
  draining,
  held,
  maintenance,
  client_gone,
  tunnel_idle,      // a tunnel was silent for longer than allowed
  slow_client,      // other requests waited for its socket
  length_required,  // the worker speaks HTTP/1.0: it takes no chunks
  client_cert,      // the service needs a client certificate, and there is none
  misdirected,      // the host asks for other client certificates than the one that the connection was made for
  count
};
enum class Decision : std::uint8_t {
  none,
  param,
  header,
  cookie,
  allowlist,
  rule,
  bucket,
  stable,
  fallback,
  asset,  // the version that was chosen does not have it
  count
};

/// The user got a canary without asking for it: if it fails them, stable answers.
constexpr bool is_assigned(Decision decision) {
  return decision == Decision::allowlist || decision == Decision::rule || decision == Decision::bucket;
}

/// Log-linear buckets of microseconds: 16 steps for each power of two, so a quantile is exact to 1/16. Up to 2^31 us.
inline constexpr std::uint32_t kHistogramBuckets = 16 * 29;

struct Histogram {
  std::atomic<std::uint64_t> buckets[kHistogramBuckets];
  std::atomic<std::uint64_t> sum;  // microseconds
};

struct alignas(64) Row {
  std::atomic<std::uint64_t> requests;         // completed, whatever the outcome
  std::atomic<std::uint64_t> errors;           // contract: 5xx of it, 502 and 504 because of it
  std::atomic<std::uint64_t> status_class[6];  // [1]..[5]; [0]: no answer could be sent
  std::atomic<std::uint64_t> reasons[static_cast<std::size_t>(Reason::count)];
  std::atomic<std::uint64_t> decisions[static_cast<std::size_t>(Decision::count)];
  std::atomic<std::uint64_t> retries;
  std::atomic<std::uint64_t> retries_refused[static_cast<std::size_t>(Reason::count)];  // by the budget; per failure
  std::atomic<std::uint64_t> asset_retries;        // of assets that this version does not have, on other versions
  std::atomic<std::uint64_t> affinity_spills;      // requests that did not get the worker of their user: it had no room
  std::atomic<std::uint64_t> bytes_in, bytes_out;  // bodies
  std::atomic<std::uint64_t> connects, connect_errors;
  // Users with a failed request, each once in RecentUsers::kWindow: with any failure; with a connection that was closed
  // or refused; without an answer in time. And failures that could not be counted, because the table was full.
  std::atomic<std::uint64_t> failing_users, reset_users, timed_out_users, users_uncounted;
  std::atomic<std::uint32_t> in_flight, waiting, idle;  // gauges: requests; of them in the queue; idle sockets
  /// Since when the oldest of the waiting requests has waited: microseconds of Clock; 0: none waits.
  std::atomic<std::int64_t> oldest_since;
  Histogram duration;  // first request byte to last response byte
  Histogram waited;    // in the queue, of those that waited
  /// Times from the request to the first byte of the answer, waiting included; buckets as in a Histogram. At most one
  /// for each worker and kSampleTime, so that a pause of a worker counts once.
  std::atomic<std::uint32_t> samples[kHistogramBuckets];
};
inline constexpr std::uint32_t kSampleTime = 100;  // ms

/// Whose bytes: those of a client or of a worker.
enum class Side : std::uint8_t { downstream, upstream, count };
inline constexpr std::size_t kSides = static_cast<std::size_t>(Side::count);
inline constexpr std::size_t kRules = 33;  // P1..P32 of docs/http.md by number; [0]: the PROXY protocol

/// The counters of one thread that do not belong to a version.
struct alignas(64) WireCounts {
  std::atomic<std::uint64_t> refused[static_cast<std::size_t>(Reason::count)];  // answered before a version was chosen
  std::atomic<std::uint64_t> faults[kSides][kRules];                            // rules broken by that side
  std::atomic<std::uint64_t> write_errors[kSides];                              // sends to that side that failed
  std::atomic<std::uint64_t> forwards_cut;         // requests whose X-Forwarded-For has more trusted hops than are read
  std::atomic<std::uint64_t> forwards_unreadable;  // likewise: has a member that is not an address
  std::atomic<std::uint64_t> handshakes;           // TLS, complete
  std::atomic<std::uint64_t> handshake_failures[static_cast<std::size_t>(tls::HandshakeFailure::count)];
  std::atomic<std::uint64_t>
      forwards_ignored;  // requests of peers that are not trusted: have X-Forwarded-* or Forwarded
};

/// The HTTP of a worker's latest answer, to a request or a probe.
enum class Speaks : std::uint32_t { unknown, http10, http11 };

struct alignas(64) WorkerCell {
  LimitWord sockets;
  LimitWord tunnels;
  std::atomic<Speaks> speaks;
  std::atomic<std::uint32_t> sampled;  // number of the latest kSampleTime with a sample in Row::samples
  /// Bit t of [s]: thread t of slot s has a request that waits for this worker, because its user stays on it.
  std::atomic<std::uint64_t> awaited[kRouterSlots];
};

inline constexpr std::size_t kUserWords = 64;

struct alignas(64) VersionCell {
  LimitWord waiting;
  LimitWord slow;  // requests of slow clients that hold a socket
  /// Bit t of [s]: thread t of slot s has a request waiting for a socket of this version. Bit kThreads + t: a request
  /// of a slow client.
  std::atomic<std::uint64_t> waiters[kRouterSlots];
  /// Until then all threads refuse newcomers that would wait for long: microseconds of Clock (upstream/shedding.hpp).
  std::atomic<std::int64_t> shed_until;
  /// Bits of users: the number of bits that are set tells how many distinct ones there are (distinct_users()).
  std::atomic<std::uint64_t> users[kUserWords];
};

struct Header {
  std::uint64_t magic;
  std::uint32_t layout;
  std::uint32_t header_bytes, row_bytes, total_mib;
};

struct Layout {
  Header header;
  VersionCell versions[kVersions];
  WorkerCell workers[kWorkers];
  Row rows[kRouterSlots][kThreads][kVersions];
  Row base[kVersions];  // the counters of dead slots, added by the master; gauges are 0
  std::atomic<std::uint32_t> writers[kVersions][kRouterSlots];  // bit t of [row][s]: thread t of slot s writes its Row
  std::atomic<std::uint32_t> connections[kRouterSlots];         // client connections open, a gauge
  std::atomic<std::uint64_t> log_lost[kRouterSlots];            // access log lines that could not be written
  std::atomic<std::uint64_t> log_lost_base;                     // the same for dead slots
  WireCounts wire[kRouterSlots][kThreads];
  WireCounts wire_base;  // of dead slots
  MemoryCounts memory[kRouterSlots][kThreads];
  MemoryCounts memory_base[kThreads];  // of dead slots; gauges are 0
  RecentUsers failing;                 // keys: user, row and kind of failure
};

/// The row of a thread, announced in `writers`. Any thread.
Row& writable_row(Layout& layout, std::uint32_t slot, std::uint32_t thread, std::uint32_t version_row);

/// Calls visit(row) for the rows of a version that threads of `slot` have announced.
template <typename SomeLayout, typename Visit>
void for_each_written(SomeLayout& layout, std::uint32_t slot, std::uint32_t version_row, Visit visit) {
  std::uint32_t bits = layout.writers[version_row][slot].load(std::memory_order_acquire);
  for (; bits != 0; bits &= bits - 1) visit(layout.rows[slot][std::countr_zero(bits)][version_row]);
}

/// A mapping of the segment. Movable owner of the mapping and of the descriptor.
class Segment {
 public:
  /// Master: a new zeroed segment with its header filled in. Throws std::system_error.
  static Segment create();
  /// Router: maps `fd`; nothing, with the reason in `error`, if magic, layout or sizes differ.
  /// `freed`: see freed().
  static std::optional<Segment> attach(UniqueFd fd, std::string& error, UniqueFd freed = {});

  Segment() = default;  // no mapping
  Segment(Segment&&) noexcept;
  Segment& operator=(Segment&&) noexcept;
  ~Segment();

  Layout& operator*() const { return *layout_; }
  Layout* operator->() const { return layout_; }
  int fd() const { return fd_.get(); }
  /// An eventfd that master and routers share, and that is never read: each write signals that units of limits were
  /// returned for which a thread of another process waits.
  int freed() const { return freed_.get(); }
  void tell_freed() const;

  // The three below throw std::system_error if the kernel refuses to punch the rows out.
  /// Master, after waitpid of the slot's router: returns its limit shares and signals that, adds its counters to
  /// `base`, zeroes its rows and gauges.
  void forget(std::uint32_t slot);
  /// Master: a version row or worker cell gets a new owner.
  void clear_version(std::uint32_t row);
  void clear_worker(std::uint32_t cell);

  template <class Io>
  void archive(Io& io);

 private:
  void zero(const void* begin, std::size_t bytes);
  Segment(UniqueFd fd, UniqueFd freed, Layout* layout)
      : fd_(std::move(fd)), freed_(std::move(freed)), layout_(layout) {}
  UniqueFd fd_, freed_;
  Layout* layout_ = nullptr;
};

/// The values of X-Gray-Reason and X-Gray-Decision, such as "upstream-closed"; empty for none.
const char* name_of(Reason reason);
const char* name_of(Decision decision);
/// "downstream" or "upstream".
const char* name_of(Side side);
/// The status of an answer made by the router (contract 2.4).
int status_of(Reason reason);

}  // namespace gray::segment
