// How streams of the epoll engine end: at once, after their tail, or detached; and the last event of each.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "router/engine/epoll_engine.hpp"
#include "router/engine/socket_calls.hpp"

namespace gray::engine {
namespace {

// The time of close_after_send() is over: the peer takes no more bytes.
void expire(void* owner, TimePoint) {
  const auto& closing = *static_cast<Stream::Closing*>(owner);
  closing.owner->close(closing.id);
}

}  // namespace

void EpollEngine::finish(StreamId id) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr || stream->closing() || stream->finished) return;
  say_finished(*stream);
  stream->finished = true;
  if (stream->tail.empty()) ::shutdown(stream->fd, SHUT_WR);
}

void EpollEngine::close(StreamId id) {
  if (Stream* stream = streams_.find(id)) destroy(*stream);
}

void EpollEngine::abort(StreamId id) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  stream->aborted = true;
  set_reset_on_close(stream->fd);
}

void EpollEngine::destroy(Stream& stream) {
  if (stream.closing() && !stream.tail.empty()) stream.fail(EPIPE);  // the tail was not delivered completely
  if (stream.ends) wheel_.disarm(stream.ends->deadline);
  if (stream.transform) {
    end_handshake(stream);
    if (!stream.closing() && stream.tail.empty()) say_finished(stream);
  }
  ::close(std::exchange(stream.fd, -1));
  end(stream);
}

// Its id is invalid from now on; the last event is still to be delivered.
void EpollEngine::end(Stream& stream) {
  streams_.end(stream);
  over_.push_back(&stream);
}

// Streams that end meanwhile are reported in the next turn: sockets that the kernel reports are served in between.
void EpollEngine::tell_over() {
  reporting_.swap(over_);
  for (Stream* stream : reporting_) {
    StreamHandler& handler = *stream->handler;
    const int fd = stream->fd;
    streams_.give_back(*stream);
    fd < 0 ? handler.on_closed() : handler.on_released(fd);
  }
  reporting_.clear();
}

void EpollEngine::close_after_send(StreamId id, Duration within, Duration linger) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  if (stream->error != 0) return destroy(*stream);
  say_finished(*stream);
  if (stream->error != 0) return destroy(*stream);
  stream->phase = linger > Duration{0} ? Stream::Phase::flushing_linger : Stream::Phase::flushing;
  stream->ends = std::make_unique<Stream::Closing>(*this, id, expire);
  stream->ends->linger = linger;
  wheel_.arm(stream->ends->deadline, now_ + within);
  if (stream->tail.empty()) sent_all(*stream);
}

void EpollEngine::sent_all(Stream& stream) {
  if (stream.phase == Stream::Phase::flushing) return destroy(stream);
  stream.phase = Stream::Phase::lingering;
  ::shutdown(stream.fd, SHUT_WR);
  if (stream.reported_end) return destroy(stream);
  wheel_.arm(stream.ends->deadline, now_ + stream.ends->linger);
  if (stream.readable) mark_ready(stream);
}

void EpollEngine::release(StreamId id) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stream->fd, nullptr);
  (void)epoll_ctl(first_.get(), EPOLL_CTL_DEL, stream->fd, nullptr);  // fails if it is not there
  end(*stream);
}

void EpollEngine::drop_input(Stream& stream) {
  while (stream.readable) {
    const ssize_t count = receive(stream.fd, scratch_.get(), kMaxRead);
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    stream.readable = false;
    if (count < 0 && errno != EAGAIN) return destroy(stream);
    if (count < 0) return;
    stream.reported_end = true;  // while the tail is still being sent, a FIN of the peer has no effect
    if (stream.phase == Stream::Phase::lingering) return destroy(stream);
  }
}

}  // namespace gray::engine
