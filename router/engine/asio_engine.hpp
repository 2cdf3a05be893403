#pragma once
// The engine on Asio: Asio runs the thread (waiting, timer, cross-thread posts); established sockets are watched by an
// edge-triggered epoll set of our own, which Asio waits on as one descriptor. Asio 1.22's reads cost a useless system
// call for each request, and it hides a FIN that arrives together with data; one persistent registration with
// EPOLLRDHUP does neither (ARCHITECTURE.md, "The engine").
#include <sys/epoll.h>

#include <asio/basic_waitable_timer.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <optional>
#include <vector>

#include "config/unique_fd.hpp"
#include "router/engine/engine.hpp"
#include "router/engine/listener_set.hpp"
#include "router/engine/stream.hpp"

namespace gray::engine {

class AsioEngine final : public Engine {
 public:
  explicit AsioEngine(BufferPool& buffers);
  ~AsioEngine() override;

  StreamId adopt(int fd, StreamHandler& handler) override;
  StreamId connect(const Address& to, StreamHandler& handler) override;
  void send(StreamId stream, std::string_view bytes) override;
  std::size_t unsent(StreamId stream) const override;
  void pause(StreamId stream, Pause reason) override;
  void resume(StreamId stream, Pause reason) override;
  void read_limit(StreamId stream, std::size_t bytes) override;
  void close(StreamId stream) override;
  void abort(StreamId stream) override;
  void close_after_send(StreamId stream, Duration within, bool linger) override;
  int release(StreamId stream) override;
  void listen(int fd, AcceptHandler& handler) override;
  void stop_listening() override;
  void post(std::function<void()> task) override;
  TimePoint now() const override { return now_; }
  TimerWheel& timers() override { return wheel_; }
  std::size_t open_streams() const override { return streams_.open(); }
  void run() override;
  void stop() override;

 private:
  using Executor = asio::io_context::executor_type;
  using WaitTimer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

  void wait();
  void turn();
  void begin() { now_ = Clock::now(); }
  void finish();
  void arm_timer();
  void dispatch(const epoll_event& event);
  void run_ready();
  void mark_ready(Stream& stream);
  void serve(Stream& stream);
  bool tell_connected(Stream& stream);
  void read(Stream& stream);
  void drop_input(Stream& stream);
  void tell_closing(Stream& stream);
  void flush(Stream& stream);
  void fail(Stream& stream, int error);
  void keep(Stream& stream, std::string_view bytes);
  void sent_all(Stream& stream);
  void destroy(Stream& stream);
  StreamId watch(int fd, StreamHandler& handler, Stream::Phase phase);
  void accept(std::size_t listener);

  BufferPool& buffers_;
  asio::io_context io_{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::posix::basic_stream_descriptor<Executor> epoll_;
  WaitTimer timer_;
  TimePoint now_ = Clock::now();
  TimerWheel wheel_{now_};
  std::optional<TimePoint> timer_at_;
  StreamTable streams_;
  std::vector<StreamId> ready_, serving_;
  ListenerSet listeners_;
  Timer accept_again_;
  bool waiting_ = false;
  std::vector<epoll_event> events_;
  std::unique_ptr<char[]> scratch_;
};

}  // namespace gray::engine
