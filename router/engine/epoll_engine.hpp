#pragma once
// The engine on epoll: one edge-triggered set holds every socket for its whole life, and one epoll_wait starts each
// turn of the loop (ARCHITECTURE.md, "Where this differs").
//
// Model of a turn: wait until a socket is ready, a timer is due, or a task was posted; read the clock once; handle the
// events, the tasks, the timers, and streams that became ready meanwhile; then deliver on_closed() and on_released().
// If a stream is still ready, the next wait returns at once, so that sockets which the kernel reports are served in
// between. In a turn of many events the streams of serve_first() are looked at again and again: else the answer of a
// worker would wait behind hundreds of new requests, each socket would serve one request in each turn, and under a
// flood of requests that are refused hardly any would be answered.
//
// A descriptor is closed within close(); only its event is deferred. No caller may rely on either (engine.hpp).
#include <sys/epoll.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "router/engine/connect_retry.hpp"
#include "router/engine/engine.hpp"
#include "router/engine/handshake_queue.hpp"
#include "router/engine/listener_set.hpp"
#include "router/engine/socket_calls.hpp"
#include "router/engine/stream.hpp"

namespace gray::engine {

class EpollEngine final : public Engine {
 public:
  explicit EpollEngine(BufferPool& buffers);
  ~EpollEngine() override;

  using Engine::adopt;
  StreamId adopt(int fd, StreamHandler& handler, std::unique_ptr<Transform> transform) override;
  StreamId connect(const Address& to, uid_t owner, StreamHandler& handler) override;
  std::optional<PeerOwner> peer(StreamId id) const override {
    const Stream* stream = streams_.find(id);
    return stream == nullptr ? std::nullopt : stream->peer;
  }
  void send(StreamId stream, std::string_view bytes) override;
  void send_pieces(StreamId stream, std::span<const std::string_view> pieces) override;
  std::size_t takes(StreamId stream) const override;
  std::size_t unsent(StreamId stream) const override;
  std::size_t untaken(StreamId id) const override {
    const Stream* stream = streams_.find(id);
    return stream == nullptr ? 0 : stream->untaken();
  }
  bool acknowledged(StreamId id) const override {
    const Stream* stream = streams_.find(id);
    return stream == nullptr || acknowledged_any(stream->fd);
  }
  void acknowledge_received(StreamId id) override {
    if (const Stream* stream = streams_.find(id)) engine::acknowledge_received(stream->fd);
  }
  void count_write_errors(StreamId id, std::atomic<std::uint64_t>& counter) override {
    if (Stream* stream = streams_.find(id)) stream->write_errors = &counter;
  }
  void serve_first(StreamId stream) override;
  void pause(StreamId stream, Pause reason) override;
  void resume(StreamId stream, Pause reason) override;
  void finish(StreamId stream) override;
  void close(StreamId stream) override;
  void abort(StreamId stream) override;
  void close_after_send(StreamId stream, Duration within, Duration linger) override;
  void release(StreamId stream) override;
  void listen(int fd, AcceptHandler& handler) override;
  void accept_more(bool wanted) override;
  void stop_listening() override;
  bool watch(int fd, ReadyHandler& handler) override;
  void post(std::function<void()> task) override;
  TimePoint now() const override { return now_; }
  TimerWheel& timers() override { return wheel_; }
  bool is_open(StreamId id) const override { return streams_.find(id) != nullptr; }
  std::size_t trim() override { return streams_.trim(); }
  bool has_surplus() const override { return streams_.has_surplus(); }
  std::size_t open_streams() const override { return streams_.open(); }
  StreamMemory memory(StreamId id, bool with_kernel) const override;
  std::size_t own_memory() const override;
  std::size_t spare_memory() const override;
  void when_empty(std::function<void()> task) override { when_empty_ = std::move(task); }
  void run() override;
  void stop() override;

 private:
  void turn();
  int timeout() const;
  void wake();
  void run_posted();
  void dispatch(const epoll_event& event);
  void dispatch_first();
  void run_ready();
  void mark_ready(Stream& stream);
  void serve(Stream& stream);
  bool tell_connected(Stream& stream);
  void begun(Stream& stream, int error);
  void await_room(Stream& stream, const Address& to);
  void connect_refused();
  void read(Stream& stream);
  void send_clear(Stream& stream, std::string_view bytes);
  // epoll_secure.cpp
  class Gathered;
  void await_handshake(Stream& stream);
  void run_handshake(bool busy);
  void look_at_handshakes();
  void handshake(Stream& stream);
  void end_handshake(Stream& stream);
  bool hand_out(Stream& stream, std::string_view bytes);
  void encrypt(Stream& stream, std::span<const std::string_view> pieces);
  void say_finished(Stream& stream);
  std::size_t secured_memory() const;
  void drop_input(Stream& stream);
  void tell_closing(Stream& stream);
  void flush(Stream& stream);
  void fail(Stream& stream, int error);
  template <typename Send>
  std::optional<std::size_t> taken(Stream& stream, std::size_t offered, Send send);
  void keep(Stream& stream, std::string_view bytes);
  void sent_all(Stream& stream);
  void destroy(Stream& stream);
  void end(Stream& stream);
  void tell_over();
  void take_backlog();
  StreamId add(int fd, StreamHandler& handler, Stream::Phase phase);
  void accept(std::size_t listener);

  /// A connect that found a full backlog. In the first one to an address: what was found in this turn.
  struct Refused {
    StreamId stream;
    Address to;
    bool full = false, over = false;
    std::uint32_t taken = 0;  // of the room
  };
  std::optional<int> connect_again(const Stream& stream, const Address& to, std::vector<Refused>& all);

  BufferPool& buffers_;
  UniqueFd epoll_;
  UniqueFd first_;  // the streams of serve_first(), a second time: asked only within a turn of many events
  UniqueFd wake_;   // eventfd: a task was posted, or stop() was called
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::atomic<bool> stopped_{false};
  PeerOwners owners_;
  TimePoint now_ = Clock::now();
  std::uint16_t turns_ = 0;  // wraps around
  TimerWheel wheel_{now_};
  StreamTable streams_;
  std::vector<StreamId> ready_, serving_;
  std::vector<Stream*> over_, reporting_;  // closed or released; their last event is not delivered yet
  bool stops_listening_ = false;           // at the end of this turn
  ListenerSet listeners_;
  std::vector<ReadyHandler*> watched_;
  Timer accept_again_;
  Timer connect_again_;
  ConnectRetry retry_;
  std::vector<Refused> refused_;  // connects that found a full backlog, the oldest first
  std::function<void()> when_empty_;
  std::vector<epoll_event> events_;
  std::unique_ptr<char[]> scratch_;
  std::unique_ptr<char[]> clear_, cipher_;  // of streams with a transform; none before the first one
  HandshakeQueue handshakes_;
};

}  // namespace gray::engine
