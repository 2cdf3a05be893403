#pragma once
// The boundary between sockets and everything above: a completion-style engine, one for each router thread. Nothing
// above may know which engine runs.
//
// Model: a stream is a connected (or connecting) socket with one handler. The engine reads when bytes are there and
// nobody has paused the stream, and hands them out at once; it sends at once, and keeps what the kernel did not take as
// the stream's unsent tail. It never calls a handler from within a call that the handler's side made: all callbacks
// come from the loop. To end a stream is to ask for it: an event says when it has ended.
//
// Invariants
//  - close(), close_after_send() and release() are the last call for a stream, but for a close() that cuts a
//    close_after_send() short. After each of them exactly one more event comes: on_closed(), or on_released(). Until
//    then the descriptor may be open, and the handler must live; what is counted by open descriptors is given back
//    there. How much later it comes nobody may rely on.
//  - After close() or release() the id is never valid again.
//  - An engine that dies closes what is open and tells nobody.
//  - A pause is a set of reasons; reading goes on when the set is empty.
//  - on_writable() comes once after the tail has been above kHighWatermark and has fallen to kLowWatermark.
//  - on_data() spans are at most the stream's read limit, and at most kMaxRead; the bytes are valid during the call
//  only.
// One thread, but for post().
#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "config/base/address.hpp"
#include "config/base/time.hpp"
#include "router/engine/buffer_pool.hpp"
#include "router/engine/timer_wheel.hpp"

namespace gray::engine {

inline constexpr std::size_t kMaxRead = 64 * 1024;        // bytes of one read
inline constexpr std::size_t kHighWatermark = 64 * 1024;  // unsent bytes above which a source must pause
inline constexpr std::size_t kLowWatermark = 32 * 1024;   // unsent bytes at which it may go on
// Unsent bytes above which a stream is broken off: a tail at the high mark and what one event may add, a read with its
// framing and a head that was kept for it.
inline constexpr std::size_t kMaxUnsent = kHighWatermark + 2 * kMaxRead;

/// A stream; index and generation, so that a stale id can never name a newer stream.
struct StreamId {
  std::uint32_t index = UINT32_MAX;
  std::uint32_t generation = 0;
  explicit operator bool() const { return index != UINT32_MAX; }
  bool operator==(const StreamId&) const = default;
};

/// Why a stream is not read. One bit each.
enum class Pause : std::uint8_t {
  busy = 1,       // the request before is still being answered
  waiting = 2,    // no worker takes the body yet
  sink_full = 4,  // the other side of the exchange has too much unsent
};

class StreamHandler {
 public:
  /// A connect() ended: 0, or the errno. Not called for adopted streams.
  virtual void on_connected(int error) = 0;
  virtual void on_data(std::string_view bytes) = 0;
  /// The peer will send no more; everything it sent has been handed out.
  virtual void on_end() = 0;
  virtual void on_writable() = 0;
  /// What was unsent at finish() has been sent, and FIN behind it. Not called if nothing was: see unsent().
  virtual void on_finished() {}
  /// The stream is dead (reset, broken pipe, kMaxUnsent); the handler must close() it. Comes behind on_end() too, to a
  /// handler that has kept the stream for what it still sends.
  virtual void on_failed(int error) = 0;
  /// While the stream is paused: the peer has closed its side, or (`reset`) the whole connection. Unread bytes may be
  /// left.
  virtual void on_peer_closing(bool reset) = 0;
  /// The descriptor is closed, after close() or close_after_send(). The handler may die in it.
  virtual void on_closed() = 0;
  /// After release(): the connected socket, which is the handler's now. Negative: it could not be taken from the
  /// kernel whole, and is closed. Only for those who call release(). The handler may die in it.
  virtual void on_released(int fd) { static_cast<void>(fd); }

 protected:
  ~StreamHandler() = default;
};

class AcceptHandler {
 public:
  /// A new connection; the handler owns `fd` (non-blocking, close-on-exec).
  virtual void on_accept(int fd, const Address& peer) = 0;

 protected:
  ~AcceptHandler() = default;
};

/// Of a descriptor that is no stream: a channel, an eventfd.
class ReadyHandler {
 public:
  /// It may have something to read, or room to write again: whoever cares does it until the kernel says no, and is told
  /// of what comes after that. Now and then for nothing.
  virtual void on_ready() = 0;

 protected:
  ~ReadyHandler() = default;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Takes over a connected, non-blocking socket. An invalid id: the kernel refused to watch it (the fd is closed).
  virtual StreamId adopt(int fd, StreamHandler& handler) = 0;
  /// Begins to connect; on_connected() follows, also for errors that come at once. An invalid id: no socket could be
  /// made.
  virtual StreamId connect(const Address& to, StreamHandler& handler) = 0;
  /// Sends what the kernel takes and keeps the rest.
  virtual void send(StreamId stream, std::string_view bytes) = 0;
  virtual std::size_t unsent(StreamId stream) const = 0;
  /// The same, and what the kernel holds because the peer has not taken it. A system call: not for every event.
  virtual std::size_t untaken(StreamId stream) const = 0;
  /// Counts in `counter` what send() and the tail could not deliver, closing streams included: one for each stream at
  /// most. This thread is its only writer.
  virtual void count_write_errors(StreamId stream, std::atomic<std::uint64_t>& counter) = 0;
  virtual void pause(StreamId stream, Pause reason) = 0;
  virtual void resume(StreamId stream, Pause reason) = 0;
  /// The largest span that on_data() may get, 1..kMaxRead. A new stream starts at kMaxRead.
  virtual void read_limit(StreamId stream, std::size_t bytes) = 0;
  /// Sends the tail, then FIN: what is sent after this call is dropped. Reading goes on, and so does the stream until
  /// close().
  virtual void finish(StreamId stream) = 0;
  /// Drops what is unsent and closes; on_closed() follows.
  virtual void close(StreamId stream) = 0;
  /// close() will be a reset: what was sent must not look complete to the peer.
  virtual void abort(StreamId stream) = 0;
  /// Sends the tail first, for at most `within`, then closes. With a `linger` above 0 it sends FIN after the tail, then
  /// reads and drops what still comes until the peer closes, for at most `linger`: a peer that is still sending gets to
  /// read our answer instead of a reset. on_closed() follows.
  virtual void close_after_send(StreamId stream, Duration within, Duration linger) = 0;
  /// Gives the socket away unclosed, in on_released(); only when nothing is unsent.
  virtual void release(StreamId stream) = 0;

  /// Watches a listening socket; several engines may watch the same one.
  virtual void listen(int fd, AcceptHandler& handler) = 0;
  /// Accepts what is in the backlog, then watches no more: on_accept() may come until when_empty(). The socket stays
  /// open.
  virtual void stop_listening() = 0;

  /// Tells `handler` of `fd`, which stays the caller's, as long as the engine lives. False: the kernel refused.
  virtual bool watch(int fd, ReadyHandler& handler) = 0;

  /// Runs `task` on the engine's thread, soon. Thread-safe.
  virtual void post(std::function<void()> task) = 0;
  /// The time when the current turn of the loop began.
  virtual TimePoint now() const = 0;
  virtual TimerWheel& timers() = 0;
  /// Streams whose last event has not been told.
  virtual std::size_t open_streams() const = 0;
  /// Runs `task` once, on the loop, as soon as no stream is open and a stop_listening() has ended. A later call
  /// replaces the task.
  virtual void when_empty(std::function<void()> task) = 0;

  /// Runs the loop on the calling thread until stop(). stop() is thread-safe.
  virtual void run() = 0;
  virtual void stop() = 0;
};

/// The engine on epoll. Unsent tails are kept in `buffers`, which must outlive it. Throws std::system_error
/// when the kernel gives no descriptors.
std::unique_ptr<Engine> make_engine(BufferPool& buffers);

}  // namespace gray::engine
