#include "router/engine/stream.hpp"

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <new>

#include "router/engine/allocation_faults.hpp"

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

Stream* StreamTable::take() {
  if (allocation_fails()) return nullptr;
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(streams_.size()));
    streams_.emplace_back();
    generations_.push_back(0);
    free_.reserve(streams_.capacity());  // so that giving back never allocates
  }
  const std::uint32_t index = free_.back();
  if (!streams_[index]) {
    streams_[index].reset(new (std::nothrow) Stream);
    if (!streams_[index]) return nullptr;
    streams_[index]->index = index;
    streams_[index]->generation = generations_[index];
    ++objects_;
  }
  free_.pop_back();
  peak_.saw(++open_);
  return streams_[index].get();
}

std::size_t StreamTable::trim() {
  std::size_t surplus = peak_.trim(open_, spare(), kSpare);
  const std::size_t freed = surplus * sizeof(Stream);
  for (auto index = free_.begin(); surplus > 0; ++index) {
    auto& stream = streams_[*index];
    if (!stream) continue;
    generations_[*index] = stream->generation;
    stream.reset();
    --objects_;
    --surplus;
  }
  return freed;
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
  stream.reported_closing = stream.reported_end = stream.backlogged = stream.above_high = stream.queued =
      stream.connected = stream.refused = stream.finished = stream.in_handshakes = stream.handshaking = stream.aborted =
          false;
  stream.error = 0;
  stream.peer.reset();
  stream.window = {};
  stream.write_errors = nullptr;
  stream.tail.clear();
  stream.ends.reset();
  stream.transform.reset();
  ++stream.generation;
  free_.push_back(stream.index);
  --open_;
}

}  // namespace gray::engine
