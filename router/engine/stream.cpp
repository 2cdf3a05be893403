#include "router/engine/stream.hpp"

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

namespace gray::engine {

void Stream::note(std::uint32_t events) {
  if ((events & EPOLLIN) != 0) readable = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP)) != 0) readable = peer_closed = true;
  if ((events & EPOLLERR) != 0) readable = peer_closed = peer_reset = true;
}

void Stream::fail(int failure) {
  if (write_errors != nullptr && error == 0) {
    write_errors->store(write_errors->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  error = failure;
  readable = true;  // or the end of the stream
}

std::size_t Stream::untaken() const {
  int in_kernel = 0;
  const bool known = ::ioctl(fd, SIOCOUTQ, &in_kernel) == 0 && in_kernel > 0;
  return tail.size() + (known ? static_cast<std::size_t>(in_kernel) : 0);
}

Stream& StreamTable::take(Engine& owner, Timer::Fire expire) {
  if (free_.empty()) {
    streams_.push_back(std::make_unique<Stream>(owner, expire));
    streams_.back()->index = static_cast<std::uint32_t>(streams_.size() - 1);
    free_.reserve(streams_.size());  // so that giving back never allocates
    free_.push_back(streams_.back()->index);
  }
  Stream& stream = *streams_[free_.back()];
  free_.pop_back();
  ++open_;
  return stream;
}

void StreamTable::end(Stream& stream) {
  stream.phase = Stream::Phase::over;
  stream.tail.clear();
  ++stream.generation;
}

void StreamTable::give_back(Stream& stream) {
  stream.fd = -1;
  stream.handler = nullptr;
  stream.phase = Stream::Phase::free;
  stream.pauses = 0;
  stream.readable = stream.peer_closed = stream.peer_reset = false;
  stream.reported_closing = stream.reported_end = stream.above_high = stream.queued = stream.connected =
      stream.refused = stream.finished = false;
  stream.error = 0;
  stream.peer.reset();
  stream.read_limit = kMaxRead;
  stream.write_errors = nullptr;
  stream.tail.clear();
  ++stream.generation;
  free_.push_back(stream.index);
  --open_;
}

}  // namespace gray::engine
