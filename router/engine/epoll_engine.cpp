#include "router/engine/epoll_engine.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "router/engine/socket_calls.hpp"

namespace gray::engine {
namespace {

constexpr std::size_t kEvents = 256;               // taken from the kernel at once
constexpr int kEventsInRow = 32;                   // handled before those to be served first are looked at again
constexpr std::size_t kBytesPerTurn = 256 * 1024;  // of one stream, so that a bulk transfer cannot starve the others
constexpr std::size_t kUnaskedRead = 8 * 1024;     // a read of this size may be kept
constexpr Duration kAcceptRetry{100};              // after the process ran out of descriptors
constexpr std::uint32_t kListenerTag = 0x8000'0000;
constexpr std::uint32_t kWatchTag = 0x4000'0000;  // stream indexes stay below
constexpr std::uint64_t kWakeTag = ~0ull;

std::size_t size_of(std::span<const std::string_view> pieces) {
  std::size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  return bytes;
}

UniqueFd checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return UniqueFd(fd);
}

}  // namespace

std::unique_ptr<Engine> make_engine(BufferPool& buffers) { return std::make_unique<EpollEngine>(buffers); }

EpollEngine::EpollEngine(BufferPool& buffers)
    : buffers_(buffers),
      epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      first_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      listeners_(epoll_.get(), kListenerTag),
      accept_again_(&listeners_, [](void* listeners, TimePoint) { static_cast<ListenerSet*>(listeners)->resume(); }),
      connect_again_(this, [](void* self, TimePoint) { static_cast<EpollEngine*>(self)->connect_refused(); }),
      events_(kEvents),
      scratch_(new char[kMaxRead]) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // every write is an edge, so the counter need not be read
  event.data.u64 = kWakeTag;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

EpollEngine::~EpollEngine() {
  streams_.for_each([](const Stream& stream) {
    if (stream.fd >= 0) ::close(stream.fd);
  });
}

void EpollEngine::run() {
  while (!stopped_) turn();
}

void EpollEngine::stop() {
  stopped_ = true;
  wake();
}

void EpollEngine::post(std::function<void()> task) {
  bool first;
  {
    const std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) wake();
}

void EpollEngine::wake() {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void EpollEngine::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

// How long to wait, in milliseconds; -1: without limit. Counted from the beginning of the turn that has just ended, so
// a timer is late by at most the length of that turn.
int EpollEngine::timeout() const {
  if (!ready_.empty() || !over_.empty() || stops_listening_ || handshakes_.due()) return 0;
  const auto next = wheel_.next_wakeup();
  const int most = handshakes_.crowded() ? static_cast<int>(HandshakeQueue::kLook.count()) : -1;
  if (!next) return most;
  const auto wait = static_cast<int>(std::max(std::chrono::ceil<Duration>(*next - now_), Duration{0}).count());
  return most < 0 ? wait : std::min(wait, most);
}

void EpollEngine::turn() {
  const int count = epoll_wait(epoll_.get(), events_.data(), kEvents, timeout());
  now_ = Clock::now();
  ++turns_;
  bool posted = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (event.data.u64 == kWakeTag) {
      posted = true;
    } else {
      dispatch(event);
    }
    if ((i + 1) % kEventsInRow == 0) dispatch_first();
  }
  if (posted) run_posted();
  wheel_.advance(now_);
  run_ready();
  if (handshakes_.any()) look_at_handshakes();
  if (handshakes_.due()) run_handshake(count > 0);
  if (stops_listening_) take_backlog();
  if (!over_.empty()) tell_over();
  if (when_empty_ && streams_.open() == 0 && !stops_listening_) std::exchange(when_empty_, nullptr)();
}

void EpollEngine::dispatch(const epoll_event& event) {
  const auto index = static_cast<std::uint32_t>(event.data.u64 >> 32);
  if ((index & kListenerTag) != 0) {
    return accept(index & ~kListenerTag);
  }
  if ((index & kWatchTag) != 0) return watched_[index & ~kWatchTag]->on_ready();
  Stream* stream = streams_.find({index, static_cast<std::uint32_t>(event.data.u64)});
  if (stream == nullptr || stream->refused) return;
  stream->note(event.events);
  if (stream->phase == Stream::Phase::connecting) {
    if ((event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    stream->error = socket_error(stream->fd);
    stream->connected = stream->error == 0;
  } else if ((event.events & EPOLLOUT) != 0 && !stream->tail.empty()) {
    const StreamId id = stream->id();
    flush(*stream);
    if (!stream->is(id)) return;
  }
  serve(*stream);
}

// An event that comes from here comes a second time from the other set, and finds nothing to read. The time goes on,
// too: else a worker that answers in a long turn would seem to have taken the whole turn.
void EpollEngine::dispatch_first() {
  now_ = Clock::now();
  epoll_event events[kEventsInRow];
  const int count = epoll_wait(first_.get(), events, kEventsInRow, 0);
  for (int i = 0; i < count; ++i) dispatch(events[i]);
}

void EpollEngine::serve_first(StreamId id) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.u64 = static_cast<std::uint64_t>(id.index) << 32 | id.generation;
  (void)epoll_ctl(first_.get(), EPOLL_CTL_ADD, stream->fd, &event);  // failed: it is served in turn
}

void EpollEngine::mark_ready(Stream& stream) {
  if (stream.queued) return;
  stream.queued = true;
  ready_.push_back(stream.id());
}

void EpollEngine::run_ready() {
  serving_.swap(ready_);
  for (const StreamId id : serving_) {
    if (Stream* stream = streams_.find(id)) {
      stream->queued = false;
      serve(*stream);
    }
  }
  serving_.clear();
}

void EpollEngine::serve(Stream& stream) {
  const StreamId id = stream.id();
  if (stream.phase == Stream::Phase::connecting && (!tell_connected(stream) || !stream.is(id))) return;
  if (stream.closing()) return stream.error != 0 ? destroy(stream) : drop_input(stream);
  // A peer that reads no more may have sent the reason before: an answer to half a request.
  if (stream.error != ENOBUFS) read(stream);
  if (!stream.is(id)) return;
  if (stream.reported_end && stream.peer_reset && stream.error == 0) stream.error = ECONNRESET;
  if (stream.error != 0 && !stream.queued) stream.handler->on_failed(stream.error);
}

void EpollEngine::read(Stream& stream) {
  if (stream.transform && !stream.transform->open()) return await_handshake(stream);
  const StreamId id = stream.id();
  std::size_t budget = kBytesPerTurn;
  while (stream.readable && stream.pauses == 0 && !stream.reported_end) {
    const std::size_t wanted = std::clamp<std::size_t>(stream.handler->read_size(), 1, kMaxRead);
    const ssize_t count = receive(stream.fd, scratch_.get(), wanted);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      stream.readable = false;
      if (errno != EAGAIN) stream.handler->on_failed(errno);
      return;
    }
    if (count == 0) {
      stream.readable = false;
      stream.reported_end = true;
      return stream.handler->on_end();
    }
    const auto bytes = static_cast<std::size_t>(count);
    // A short read means drained, unless a FIN follows the data: that edge has already been reported.
    if (bytes < wanted && !stream.peer_closed) stream.readable = false;
    if (!stream.transform) {
      stream.handler->on_data({scratch_.get(), bytes});
    } else if (!hand_out(stream, {scratch_.get(), bytes})) {
      return;
    }
    if (!stream.is(id) || stream.closing() || stream.error == ENOBUFS) return;
    budget -= std::min(budget, bytes);
    if (budget == 0 && stream.readable) return mark_ready(stream);
  }
  tell_closing(stream);
}

void EpollEngine::tell_closing(Stream& stream) {
  if (stream.pauses == 0 || !stream.peer_closed || stream.reported_end) return;
  if (stream.reported_closing && !stream.peer_reset) return;
  stream.reported_closing = true;
  stream.handler->on_peer_closing(stream.peer_reset);
}

void EpollEngine::send(StreamId id, std::string_view bytes) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr || stream->closing() || stream->finished || stream->error != 0) return;
  if (stream->transform) return encrypt(*stream, {&bytes, 1});
  send_clear(*stream, bytes);
}

// As they are, without a transform.
void EpollEngine::send_clear(Stream& stream, std::string_view bytes) {
  if (!stream.tail.empty()) return keep(stream, bytes);
  if (bytes.empty()) return;
  const auto sent = taken(stream, bytes.size(), [&] { return transmit(stream.fd, bytes); });
  if (sent && *sent < bytes.size()) keep(stream, bytes.substr(*sent));
}

void EpollEngine::send_pieces(StreamId id, std::span<const std::string_view> pieces) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr || stream->closing() || stream->finished || stream->error != 0) return;
  if (stream->transform) return encrypt(*stream, pieces);
  std::size_t skip = 0;  // bytes that are sent
  if (stream->tail.empty()) {
    const auto sent = taken(*stream, size_of(pieces), [&] { return transmit_pieces(stream->fd, pieces); });
    if (!sent) return;
    skip = *sent;
  }
  for (const std::string_view piece : pieces) {
    const std::size_t part = std::min(skip, piece.size());
    skip -= part;
    if (part < piece.size() && stream->error == 0) keep(*stream, piece.substr(part));
  }
}

// How many bytes of `offered` a send() took; nothing: the stream has failed. Fewer bytes: it is full, EPOLLOUT follows.
template <typename Send>
std::optional<std::size_t> EpollEngine::taken(Stream& stream, std::size_t offered, Send send) {
  ssize_t count = send();
  while (count < 0 && errno == EINTR) count = send();
  if (count < 0 && errno != EAGAIN) {
    fail(stream, errno);
    return std::nullopt;
  }
  const std::size_t sent = count < 0 ? 0 : static_cast<std::size_t>(count);
  stream.window.sent(offered, sent);
  return sent;
}

void EpollEngine::keep(Stream& stream, std::string_view bytes) {
  if (stream.tail.empty()) stream.tail_since = turns_;
  const std::size_t overhead = stream.transform ? kRecordOverhead : 0;
  const std::size_t most = (stream.tail_since == turns_ ? kMaxUnsentInTurn : kMaxUnsent) + overhead;
  const bool fits = stream.tail.empty() || stream.tail.size() + bytes.size() <= most;
  if (!fits || !stream.tail.append(bytes, buffers_, stream.id().key())) return fail(stream, ENOBUFS);
  stream.backlogged = true;
  if (stream.tail.size() > kHighWatermark) stream.above_high = true;
}

// Small reads need no system call to ask for the room: they are the least that is read, or nearly.
std::size_t EpollEngine::takes(StreamId id) const {
  const Stream* stream = streams_.find(id);
  if (stream == nullptr || !stream->tail.empty()) return kMinRead;
  const std::size_t window = stream->window.size();
  if (window <= kUnaskedRead) return window;
  return std::clamp(sendable(stream->fd, kMaxNotSent).value_or(kHighWatermark), kMinRead, window);
}

void EpollEngine::fail(Stream& stream, int error) {
  stream.fail(error);
  mark_ready(stream);
}

void EpollEngine::flush(Stream& stream) {
  while (!stream.tail.empty()) {
    iovec pieces[16];
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = stream.tail.pieces(pieces, std::size(pieces));
    const ssize_t count = ::sendmsg(stream.fd, &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      if (errno != EAGAIN) fail(stream, errno);
      break;
    }
    stream.tail.consume(static_cast<std::size_t>(count));
  }
  if (stream.closing()) {
    if (stream.tail.empty()) sent_all(stream);
    return;
  }
  const bool finished = stream.finished && stream.tail.empty();
  if (finished) ::shutdown(stream.fd, SHUT_WR);
  const StreamId id = stream.id();
  if (stream.backlogged && stream.tail.size() <= (stream.above_high ? kLowWatermark : 0)) {
    stream.above_high = false;
    stream.backlogged = !stream.tail.empty();
    stream.handler->on_writable();
  }
  if (finished && stream.is(id) && !stream.closing()) stream.handler->on_finished();
}

std::size_t EpollEngine::unsent(StreamId id) const {
  const Stream* stream = streams_.find(id);
  return stream == nullptr ? 0 : stream->tail.size();
}

void EpollEngine::pause(StreamId id, Pause reason) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  stream->pauses |= static_cast<std::uint8_t>(reason);
  if (stream->peer_closed && !stream->reported_closing) mark_ready(*stream);
}

void EpollEngine::resume(StreamId id, Pause reason) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  stream->pauses &= static_cast<std::uint8_t>(~static_cast<std::uint8_t>(reason));
  if (stream->pauses == 0 && stream->readable) mark_ready(*stream);
}

bool EpollEngine::watch(int fd, ReadyHandler& handler) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = static_cast<std::uint64_t>(kWatchTag | watched_.size()) << 32;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return false;
  watched_.push_back(&handler);
  return true;
}

// The sockets that it accepts inherit the limit.
void EpollEngine::listen(int fd, AcceptHandler& handler) {
  limit_not_sent(fd, kMaxNotSent);
  listeners_.add(fd, handler);
}

void EpollEngine::accept(std::size_t listener) {
  if (listeners_.accept(listener) != ListenerSet::Accepted::exhausted) return;
  listeners_.pause();
  wheel_.arm(accept_again_, now_ + kAcceptRetry);
}

void EpollEngine::accept_more(bool wanted) { listeners_.hold(!wanted); }

void EpollEngine::stop_listening() { stops_listening_ = true; }

void EpollEngine::take_backlog() {
  stops_listening_ = false;
  wheel_.disarm(accept_again_);
  listeners_.finish();
}

}  // namespace gray::engine
