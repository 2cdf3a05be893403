#pragma once
// The boundary between sockets and everything above: a completion-style engine, one for each router thread. Nothing
// above may know which engine runs.
//
// Model: a stream is a connected (or connecting) socket with one handler. The engine reads when bytes are available and
// the stream is not paused, and hands them out at once; it sends at once, and keeps what the kernel did not take as the
// stream's unsent tail. It never calls a handler from within a call of the handler's side: all callbacks come from the
// loop. Closing is a request: an event reports when the stream has ended.
//
// Invariants
//  - close(), close_after_send() and release() are the last call for a stream, except for a close() that cuts a
//    close_after_send() short. After each of them exactly one more event comes: on_closed(), or on_released(). Until
//    then the descriptor may be open, and the handler must live; units that count open descriptors are given back
//    there. How much later the event comes is not specified.
//  - After close() or release() the id is never valid again.
//  - The destructor of an engine closes all streams without events.
//  - A pause is a set of reasons; reading resumes when the set is empty.
//  - on_writable() comes after a tail was kept: when it has been sent, and, if it was above kHighWatermark, also when
//    it has fallen to kLowWatermark. So a source that pauses while anything is unsent is always told.
//  - A stream of connect() reports on_connected(0) only after its other end was compared with the expected owner, so no
//    byte is sent to a different one.
//  - on_data() spans are at most what read_size() said, and at most kMaxRead; the bytes are valid during the call only.
//    With a transform they are clear bytes, and a record that was incomplete before may add Transform::kMaxKept.
//  - A stream with a transform gives no event before on_secured() but those of its end. One step of one handshake is
//    made in a turn, in the order of their bytes, and other streams that are ready get at least as much time as
//    handshakes.
//  - The kernel holds at most kMaxNotSent bytes that it has not sent yet, and one segment: the rest is our tail, which
//    is accounted for.
// One thread, except for post() and stop().
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "config/base/address.hpp"
#include "config/base/peer_owner.hpp"
#include "config/base/time.hpp"
#include "router/engine/buffer_pool.hpp"
#include "router/engine/send_window.hpp"
#include "router/engine/timer_wheel.hpp"
#include "router/engine/transform.hpp"

namespace gray::engine {

inline constexpr std::size_t kHighWatermark = 64 * 1024;  // unsent bytes above which every source must pause
inline constexpr std::size_t kLowWatermark = 32 * 1024;   // unsent bytes at which it may resume
// Bytes to which a tail may grow; then the stream is aborted. What one turn of the loop sends into an empty tail may
// exceed it by one read: the kernel may take less than it has said, and the rest of the read is to be kept.
inline constexpr std::size_t kMaxUnsent = 2 * kHighWatermark;
inline constexpr std::size_t kMaxUnsentInTurn = kMaxUnsent + kMaxRead;
// Bytes that the records of a transform may add to a full tail.
inline constexpr std::size_t kRecordOverhead = 2 * 1024;
inline constexpr std::size_t kMaxHandshakes = 256;     // begun and not complete, of one engine; others wait
inline constexpr std::size_t kMaxNotSent = 32 * 1024;  // bytes that the kernel takes before it can send them

/// A stream; index and generation, so that a stale id can never name a newer stream.
struct StreamId {
  std::uint32_t index = UINT32_MAX;
  std::uint32_t generation = 0;
  explicit operator bool() const { return index != UINT32_MAX; }
  bool operator==(const StreamId&) const = default;
  /// The id as the owner of buffers, and back.
  std::uint64_t key() const { return std::uint64_t{generation} << 32 | index; }
  static StreamId of_key(std::uint64_t key) {
    return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  }
};

/// Why a stream is not read. One bit each; a call may name several.
enum class Pause : std::uint8_t {
  busy = 1,       // the previous request is still being answered
  waiting = 2,    // no worker is ready for the body yet
  sink_full = 4,  // the other side of the exchange has too much unsent
};
constexpr Pause operator|(Pause a, Pause b) {
  return static_cast<Pause>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

/// What one stream holds, in bytes.
struct StreamMemory {
  std::size_t process = 0;  // of this process: the stream and its unsent tail
  std::size_t unsent = 0;   // of the tail, without its overhead
  std::size_t kernel = 0;   // buffers of its socket
};

class StreamHandler {
 public:
  /// A connect() ended: 0, or the errno. Not called for adopted streams.
  virtual void on_connected(int error) = 0;
  /// Instead: it is connected, but to a process of a different user than connect() was told. Nothing was sent; the
  /// handler must close() it.
  virtual void on_stranger(const PeerOwner& found) {
    static_cast<void>(found);
    on_connected(EACCES);
  }
  /// The handshake of its transform is complete.
  virtual void on_secured() {}
  /// The handshake has failed, and what the peer has to know was sent; the handler must end the stream.
  virtual void on_insecure() { on_failed(EPROTO); }
  virtual void on_data(std::string_view bytes) = 0;
  /// Before each read: how many bytes may be read, 1..kMaxRead.
  virtual std::size_t read_size() { return kMinRead; }
  /// The peer will send no more; everything it sent has been handed out.
  virtual void on_end() = 0;
  virtual void on_writable() = 0;
  /// The tail that was unsent at finish() has been sent, and FIN behind it. Not called without such a tail: see
  /// unsent().
  virtual void on_finished() {}
  /// The stream is dead (reset, broken pipe, kMaxUnsent); the handler must close() it. May follow on_end(), if the
  /// handler still sends.
  virtual void on_failed(int error) = 0;
  /// While the stream is paused: the peer has closed its side, or (`reset`) the whole connection. Unread bytes may be
  /// left.
  virtual void on_peer_closing(bool reset) = 0;
  /// The descriptor is closed, after close() or close_after_send(). The handler may die in it.
  virtual void on_closed() = 0;
  /// After release(): the connected socket, which now belongs to the handler. Negative: it could not be detached and is
  /// closed. Only for handlers that call release(). The handler may die in it.
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

/// For a descriptor that is not a stream: a channel, an eventfd.
class ReadyHandler {
 public:
  /// It may be readable, or writable again: the handler reads or writes until EAGAIN, and is called again for later
  /// changes. May be called without cause.
  virtual void on_ready() = 0;

 protected:
  ~ReadyHandler() = default;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Takes over a connected, non-blocking socket. An invalid id: the kernel refused to watch it, or there is no memory;
  /// the fd is still the caller's.
  virtual StreamId adopt(int fd, StreamHandler& handler) { return adopt(fd, handler, nullptr); }
  /// The same; all bytes go through the transform, which lives until on_closed().
  virtual StreamId adopt(int fd, StreamHandler& handler, std::unique_ptr<Transform> transform) = 0;
  /// Begins to connect; on_connected() or on_stranger() follows, also for errors that come at once. `owner`: the user
  /// who must be at the other end. If that cannot be known, the connection is accepted; see peer_owner.hpp. An invalid
  /// id: no socket could be made.
  virtual StreamId connect(const Address& to, uid_t owner, StreamHandler& handler) = 0;
  /// The process at the other end of a stream that connect() made; nothing if it is not known.
  virtual std::optional<PeerOwner> peer(StreamId stream) const = 0;
  /// Sends what the kernel takes and keeps the rest.
  virtual void send(StreamId stream, std::string_view bytes) = 0;
  /// The same for several pieces, in one system call. At most kMaxPieces.
  virtual void send_pieces(StreamId stream, std::span<const std::string_view> pieces) = 0;
  static constexpr std::size_t kMaxPieces = 3;
  /// How many bytes its source should read at once, kMinRead..kMaxRead: what it takes now, as far as that is known.
  virtual std::size_t takes(StreamId stream) const = 0;
  virtual std::size_t unsent(StreamId stream) const = 0;
  /// The same, plus what the kernel holds because the peer has not acknowledged it. A system call: not for every event.
  virtual std::size_t untaken(StreamId stream) const = 0;
  /// Whether bytes of ours may have reached the program at the other end. False: its kernel has acknowledged none since
  /// the stream was connected, so no program can have read one. Only TCP can tell; other streams give true. A system
  /// call, for streams that have failed: possible until close().
  virtual bool acknowledged(StreamId stream) const = 0;
  /// Lets the kernel acknowledge the received bytes now. For a peer with Nagle's algorithm, which holds back the rest
  /// of a message until its first piece is acknowledged. A system call: not for every event.
  virtual void acknowledge_received(StreamId stream) = 0;
  /// Adds 1 to `counter` if send() or the tail could not be delivered, also while closing: at most once for each
  /// stream. This thread is the only writer of the counter.
  virtual void count_write_errors(StreamId stream, std::atomic<std::uint64_t>& counter) = 0;
  /// Its received bytes are handed out before those of other streams when many streams have some: for connections that
  /// finish work, so that new work cannot hold them up. Until it ends.
  virtual void serve_first(StreamId stream) = 0;
  virtual void pause(StreamId stream, Pause reason) = 0;
  virtual void resume(StreamId stream, Pause reason) = 0;
  /// Sends the tail, then FIN: what is sent after this call is dropped. Reading continues, and the stream lives until
  /// close().
  virtual void finish(StreamId stream) = 0;
  /// Drops what is unsent and closes; on_closed() follows.
  virtual void close(StreamId stream) = 0;
  /// Makes close() a reset: what was sent must not look complete to the peer.
  virtual void abort(StreamId stream) = 0;
  /// Sends the tail first, for at most `within`, then closes. With a `linger` above 0 it sends FIN after the tail, then
  /// reads and drops what still comes until the peer closes, for at most `linger`: so a peer that is still sending can
  /// read our answer instead of getting a reset. on_closed() follows.
  virtual void close_after_send(StreamId stream, Duration within, Duration linger) = 0;
  /// Detaches the socket without closing it; on_released() follows. Only when nothing is unsent, and without a
  /// transform.
  virtual void release(StreamId stream) = 0;

  /// Watches a listening socket; several engines may watch the same one.
  virtual void listen(int fd, AcceptHandler& handler) = 0;
  /// False: leaves new connections in the backlog, until it is called with true.
  virtual void accept_more(bool wanted) = 0;
  /// Accepts what is in the backlog, then stops watching: on_accept() may come until when_empty(). The socket stays
  /// open.
  virtual void stop_listening() = 0;

  /// Reports readiness of `fd`, which the caller still owns, to `handler` while the engine lives. False: the kernel
  /// refused.
  virtual bool watch(int fd, ReadyHandler& handler) = 0;

  /// Runs `task` on the engine's thread, soon. Thread-safe.
  virtual void post(std::function<void()> task) = 0;
  /// The time when the current turn of the loop began.
  virtual TimePoint now() const = 0;
  virtual TimerWheel& timers() = 0;
  /// Whether it names a stream on which close() or release() was not called.
  virtual bool is_open(StreamId stream) const = 0;
  /// Streams whose last event has not been delivered.
  virtual std::size_t open_streams() const = 0;
  /// Frees a part of what a peak of streams needed. The bytes; they may be 0 although has_surplus().
  virtual std::size_t trim() { return 0; }
  /// For reports. `with_kernel`: a system call; else `kernel` is 0.
  virtual StreamMemory memory(StreamId stream, bool with_kernel) const {
    static_cast<void>(stream), static_cast<void>(with_kernel);
    return {};
  }
  /// Bytes of the engine itself, and of the objects that it keeps for new streams.
  virtual std::size_t own_memory() const { return 0; }
  virtual std::size_t spare_memory() const { return 0; }
  /// Whether more is kept than an idle engine needs: trim() is to be repeated.
  virtual bool has_surplus() const { return false; }
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
