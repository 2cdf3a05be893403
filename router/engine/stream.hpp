#pragma once
// One socket of the engine, and the table of all. Ids contain a generation, so that an event or a call for a closed
// stream has no effect. An idle client costs one of these and its Downstream, so what only a closing stream needs is
// apart; and objects that a peak needed are freed by trim(), which keeps their generations.
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "router/engine/engine.hpp"
#include "router/engine/peak.hpp"
#include "router/engine/send_tail.hpp"

namespace gray::engine {

struct Stream {
  enum class Phase : std::uint8_t {
    free,
    over,  // closed or released: only its last event is still to be delivered
    connecting,
    open,
    flushing,         // closes when the tail is sent
    flushing_linger,  // sends FIN when the tail is sent, then lingers
    lingering,        // FIN is sent; reads and drops until the peer closes
  };
  /// Of close_after_send().
  struct Closing {
    Closing(Engine& engine, StreamId stream, Timer::Fire expire) : owner(&engine), id(stream), deadline(this, expire) {}
    Engine* owner;
    StreamId id;
    Timer deadline;
    Duration linger{0};  // after the tail is sent
  };

  int fd = -1;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  StreamHandler* handler = nullptr;
  Phase phase = Phase::free;
  std::uint8_t pauses = 0;
  bool readable = false;     // the kernel may have bytes that we have not read
  bool peer_closed = false;  // FIN has come; after a short read there is still the FIN to read
  bool peer_reset = false;
  bool reported_closing = false;
  bool reported_end = false;
  bool backlogged = false;       // a tail was kept: on_writable() is due when it is sent
  bool above_high = false;       // and it was above kHighWatermark: also when it has fallen to kLowWatermark
  bool finished = false;         // nothing more is sent: FIN follows the tail
  std::uint16_t tail_since = 0;  // the turn of the loop in which the tail began
  bool queued = false;           // in the engine's ready list
  bool in_handshakes = false;    // in the engine's list of handshakes
  bool handshaking = false;      // its handshake has begun and is not complete
  bool aborted = false;          // its close is a reset
  int error = 0;                 // to be reported by on_failed() (or on_connected() while connecting)
  bool connected = false;        // to be reported by on_connected()
  bool refused = false;          // while connecting: its connect is to be tried again
  uid_t expected = 0;            // while connecting: the user who must be at the other end
  std::optional<PeerOwner> peer;
  SendWindow window;
  std::atomic<std::uint64_t>* write_errors = nullptr;  // where a failed write is counted
  SendTail tail;
  std::unique_ptr<Transform> transform;
  std::unique_ptr<Closing> ends;  // only while closing()

  StreamId id() const { return {index, generation}; }
  /// Whether it is still the stream that had this id.
  bool is(StreamId id) const { return generation == id.generation && phase > Phase::over; }
  std::size_t untaken() const;
  bool closing() const { return phase >= Phase::flushing; }
  /// Stores what epoll reported.
  void note(std::uint32_t events);
  /// A write failed: to be reported, and counted once.
  void fail(int failure);
};

class StreamTable {
 public:
  /// A new stream; its address is stable until it was given back and trim() frees it.
  /// Null: there is no memory for it.
  Stream* take();
  /// Makes its id invalid; it counts as open until it is given back.
  void end(Stream& stream);
  void give_back(Stream& stream);
  Stream* find(StreamId id) const {
    if (id.index >= streams_.size()) return nullptr;
    Stream* stream = streams_[id.index].get();
    return stream != nullptr && stream->is(id) ? stream : nullptr;
  }
  /// Frees unused objects above kSpare by the rule of Peak. The bytes that were freed. To be repeated while
  /// has_surplus(): the first call after a peak frees nothing.
  std::size_t trim();
  std::size_t open() const { return open_; }
  std::size_t spare() const { return objects_ - open_; }
  /// Bytes of the table without its streams.
  std::size_t own_memory() const {
    return streams_.capacity() * sizeof(streams_[0]) + (generations_.capacity() + free_.capacity()) * 4;
  }
  bool has_surplus() const { return spare() > Peak::kept_of(open_, kSpare); }
  static constexpr std::size_t kSpare = 64;
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& stream : streams_) {
      if (stream && stream->phase != Stream::Phase::free) visit(*stream);
    }
  }

 private:
  std::vector<std::unique_ptr<Stream>> streams_;  // null: freed
  std::vector<std::uint32_t> generations_;        // of those that were freed
  std::vector<std::uint32_t> free_;               // indices, those without an object first
  std::size_t open_ = 0, objects_ = 0;
  Peak peak_;
};

}  // namespace gray::engine
