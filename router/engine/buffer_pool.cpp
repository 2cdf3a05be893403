#include "router/engine/buffer_pool.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace gray::engine {
namespace {

std::size_t capacity_for(std::size_t size) {
  for (const std::size_t capacity : BufferPool::kClasses) {
    if (size <= capacity) return capacity;
  }
  return size;
}

}  // namespace

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    reset();
    header_ = std::exchange(other.header_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Buffer::append(std::string_view bytes) {
  if (bytes.empty()) return;  // its data may be null, which memcpy must not see
  std::memcpy(data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void Buffer::consume(std::size_t count) {
  size_ -= count;
  if (size_ > 0) std::memmove(data(), data() + count, size_);
}

void Buffer::give_back() { header_->pool->give_back(*std::exchange(header_, nullptr)); }

BufferPool::~BufferPool() {
  if (live_ != nullptr) std::abort();
  for (FreeList& list : free_) {
    while (list.first != nullptr) std::free(std::exchange(list.first, list.first->next));
  }
}

BufferPool::FreeList* BufferPool::list_for(std::size_t capacity) {
  for (std::size_t i = 0; i < std::size(kClasses); ++i) {
    if (kClasses[i] == capacity) return &free_[i];
  }
  return nullptr;
}

BufferHeader* BufferPool::obtain(std::size_t capacity, FreeList* list) {
  if (list != nullptr && list->first != nullptr) {
    list->bytes -= capacity;
    kept_ -= capacity;
    return std::exchange(list->first, list->first->next);
  }
  return static_cast<BufferHeader*>(std::malloc(sizeof(BufferHeader) + capacity));
}

Buffer BufferPool::take(std::size_t size, std::uint64_t owner, std::source_location site) {
  const std::size_t capacity = capacity_for(size);
  FreeList* list = list_for(capacity);
  BufferHeader* memory = outstanding_ + capacity > budget_ ? nullptr : obtain(capacity, list);
  if (memory == nullptr) {
    ++refused_;
    return {};
  }
  if (list != nullptr) list->most = std::max(list->most, list->in_use += capacity);
  auto* header = new (memory) BufferHeader{this, live_, nullptr, capacity, owner, site};
  if (live_ != nullptr) live_->prev = header;
  live_ = header;
  outstanding_ += capacity;
  return Buffer{*header};
}

bool BufferPool::reserve(Buffer& buffer, std::size_t more, std::uint64_t owner, std::source_location site) {
  if (buffer.room() >= more && buffer) return true;
  Buffer larger = take(buffer.size() + more, owner, site);
  if (!larger) return false;
  larger.append(buffer.view());
  buffer = std::move(larger);
  return true;
}

void BufferPool::give_back(BufferHeader& header) {
  if (header.prev != nullptr) {
    header.prev->next = header.next;
  } else {
    live_ = header.next;
  }
  if (header.next != nullptr) header.next->prev = header.prev;
  outstanding_ -= header.capacity;
  FreeList* list = list_for(header.capacity);
  if (list != nullptr) list->in_use -= header.capacity;
  if (list == nullptr || list->bytes + header.capacity > kKeptBytes) {
    std::free(&header);
    return;
  }
  header.next = list->first;
  list->first = &header;
  list->bytes += header.capacity;
  const std::size_t before = std::exchange(kept_, kept_ + header.capacity);
  if (before <= kFloorBytes && kept_ > kFloorBytes && surplus_) surplus_();
}

std::size_t BufferPool::trim() {
  std::size_t freed = 0;
  for (FreeList& list : free_) {
    const std::size_t wanted = list.most + list.most / 4, all = list.in_use + list.bytes;
    list.most = list.in_use;
    const std::size_t surplus = all > wanted ? (all - wanted + 1) / 2 : 0;
    for (std::size_t bytes = 0; bytes < surplus && list.first != nullptr;) {
      BufferHeader* header = std::exchange(list.first, list.first->next);
      bytes += header->capacity;
      freed += header->capacity;
      list.bytes -= header->capacity;
      std::free(header);
    }
  }
  kept_ -= freed;
  return freed;
}

void BufferPool::for_each_live(const std::function<void(const BufferHeader&)>& visit) const {
  for (const BufferHeader* header = live_; header != nullptr; header = header->next) visit(*header);
}

}  // namespace gray::engine
