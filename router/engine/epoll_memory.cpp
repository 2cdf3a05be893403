// What the streams of the epoll engine hold, in this process and in the kernel. For reports: nothing here is called for
// a request.
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <array>

#include "router/engine/epoll_engine.hpp"
#include "router/engine/heap_bytes.hpp"

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

namespace gray::engine {
namespace {

// Received bytes that are not read, unsent and unacknowledged ones, and what the kernel holds in reserve for the socket
// (sock_diag(7), SK_MEMINFO_*).
std::size_t kernel_bytes(int fd) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t length = sizeof info;
  if (fd < 0 || ::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info.data(), &length) != 0) return 0;
  const std::size_t unsent = std::max(info[SK_MEMINFO_WMEM_QUEUED], info[SK_MEMINFO_WMEM_ALLOC]);
  return unsent + info[SK_MEMINFO_RMEM_ALLOC] + info[SK_MEMINFO_FWD_ALLOC] + info[SK_MEMINFO_OPTMEM] +
         info[SK_MEMINFO_BACKLOG];
}

}  // namespace

StreamMemory EpollEngine::memory(StreamId id, bool with_kernel) const {
  const Stream* stream = streams_.find(id);
  if (stream == nullptr) return {};
  const std::size_t closing = stream->ends ? heap_bytes(sizeof(Stream::Closing)) : 0;
  const std::size_t secured = stream->transform ? stream->transform->memory() : 0;
  return {.process = heap_bytes(sizeof(Stream)) + closing + stream->tail.held() + secured,
          .unsent = stream->tail.size(),
          .kernel = with_kernel ? kernel_bytes(stream->fd) : 0};
}

std::size_t EpollEngine::own_memory() const {
  const std::size_t lists = (ready_.capacity() + serving_.capacity()) * sizeof(StreamId) +
                            (over_.capacity() + reporting_.capacity()) * sizeof(Stream*) +
                            events_.capacity() * sizeof(epoll_event) + refused_.capacity() * sizeof(Refused);
  return heap_bytes(sizeof(EpollEngine)) + lists + streams_.own_memory() + (scratch_ ? heap_bytes(kMaxRead) : 0) +
         secured_memory();
}

std::size_t EpollEngine::spare_memory() const { return streams_.spare() * heap_bytes(sizeof(Stream)); }

}  // namespace gray::engine
