#include "router/engine/buffer_pool.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <unordered_map>

#include "router/engine/allocation_faults.hpp"

namespace gray::engine {
namespace {

using segment::kBufferClasses;
using segment::kBufferSizes;

constexpr std::uint32_t kLarge = kBufferClasses - 1;  // the class of what is larger than the others

constexpr std::uint32_t class_of(std::size_t size) {
  std::uint32_t index = 0;
  while (index < kLarge && size > kBufferSizes[index]) ++index;
  return index;
}

/// This thread is the only writer.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t more) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
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
  note_use();
}

void Buffer::consume(std::size_t count) {
  size_ -= count;
  if (size_ > 0) std::memmove(data(), data() + count, size_);
  note_use();
}

void Buffer::give_back() { header_->pool->give_back(*std::exchange(header_, nullptr)); }

void Buffer::record(const char* holder) { header_->pool->detector().touch(*header_->watched, holder); }

BufferPool::~BufferPool() {
  if (live_ != nullptr) std::abort();
  drop_kept();
}

BufferHeader* BufferPool::obtain(std::size_t capacity, std::uint32_t index) {
  if (allocation_fails()) return nullptr;
  SizeClass& one = classes_[index];
  if (one.first == nullptr) return allocate(capacity);
  set_kept(index, one.kept - capacity);
  return std::exchange(one.first, one.first->next);
}

// Kept buffers of other sizes are given up first.
BufferHeader* BufferPool::allocate(std::size_t capacity) {
  if (!memory_.take(capacity) && (drop_kept() == 0 || !memory_.take(capacity))) return nullptr;
  void* memory = std::malloc(sizeof(BufferHeader) + capacity);
  if (memory == nullptr) memory_.give(capacity);
  return static_cast<BufferHeader*>(memory);
}

Buffer BufferPool::take(std::size_t size, std::uint64_t owner, std::source_location site) {
  const std::uint32_t index = class_of(size);
  const std::size_t capacity = index == kLarge ? size : kBufferSizes[index];
  BufferHeader* memory = obtain(capacity, index);
  if (memory == nullptr) {
    ++refused_;
    add(counts_.buffers[index].refused, 1);
    return {};
  }
  use(index, capacity);
  auto* header = new (memory) BufferHeader{this, live_, nullptr, capacity, owner, site, nullptr, index};
  if (detector_.due()) [[unlikely]]
    header->watched = detector_.watch(owner, capacity, site);
  if (live_ != nullptr) live_->prev = header;
  live_ = header;
  outstanding_ += capacity;
  return Buffer{*header};
}

void BufferPool::use(std::uint32_t index, std::size_t bytes) {
  SizeClass& one = classes_[index];
  one.peak.saw(one.in_use += bytes);
  counts_.buffers[index].in_use.store(one.in_use, std::memory_order_relaxed);
  if (one.in_use <= one.high_water) return;
  one.high_water = one.in_use;
  counts_.buffers[index].high_water.store(one.in_use, std::memory_order_relaxed);
}

void BufferPool::set_kept(std::uint32_t index, std::size_t bytes) {
  kept_ += bytes - classes_[index].kept;
  classes_[index].kept = bytes;
  counts_.buffers[index].kept.store(bytes, std::memory_order_relaxed);
}

void BufferPool::release(BufferHeader* header) {
  const std::size_t capacity = header->capacity;
  add(counts_.buffers[header->size_class].released, capacity);
  std::free(header);
  memory_.give(capacity);
}

bool BufferPool::reserve(Buffer& buffer, std::size_t more, std::uint64_t owner, std::source_location site) {
  if (buffer.room() >= more && buffer) return true;
  Buffer larger = take(buffer.size() + more, owner, site);
  if (!larger) return false;
  larger.append(buffer.view());
  buffer = std::move(larger);
  return true;
}

void BufferPool::shrink(Buffer& buffer, std::uint64_t owner, std::source_location site) {
  if (buffer.capacity() <= kBufferSizes[0] || buffer.size() >= buffer.capacity() / LeakDetector::kSmallPart) return;
  Buffer smaller = take(buffer.size(), owner, site);
  if (!smaller || smaller.capacity() >= buffer.capacity()) return;
  smaller.append(buffer.view());
  buffer = std::move(smaller);
}

void BufferPool::give_back(BufferHeader& header) {
  if (header.prev != nullptr) {
    header.prev->next = header.next;
  } else {
    live_ = header.next;
  }
  if (header.next != nullptr) header.next->prev = header.prev;
  if (header.watched != nullptr) [[unlikely]]
    detector_.forget(*header.watched);
  outstanding_ -= header.capacity;
  SizeClass& one = classes_[header.size_class];
  one.in_use -= header.capacity;
  counts_.buffers[header.size_class].in_use.store(one.in_use, std::memory_order_relaxed);
  if (header.size_class == kLarge || one.kept + header.capacity > kKeptBytes) return release(&header);
  keep(header);
}

void BufferPool::keep(BufferHeader& header) {
  SizeClass& one = classes_[header.size_class];
  header.next = std::exchange(one.first, &header);
  const bool had_surplus = has_surplus();
  set_kept(header.size_class, one.kept + header.capacity);
  if (!had_surplus && has_surplus() && surplus_) surplus_();
}

std::size_t BufferPool::trim() {
  const std::size_t before = kept_;
  for (std::uint32_t index = 0; index < kLarge; ++index) {
    SizeClass& one = classes_[index];
    const std::size_t surplus = one.peak.trim(one.in_use, one.kept, 0);
    for (std::size_t freed = 0; freed < surplus && one.first != nullptr; freed += kBufferSizes[index]) {
      release(std::exchange(one.first, one.first->next));
      set_kept(index, one.kept - kBufferSizes[index]);
    }
  }
  return before - kept_;
}

std::size_t BufferPool::drop_kept() {
  const std::size_t before = kept_;
  for (std::uint32_t index = 0; index < kLarge; ++index) {
    SizeClass& one = classes_[index];
    while (one.first != nullptr) release(std::exchange(one.first, one.first->next));
    set_kept(index, 0);
  }
  return before;
}

void BufferPool::for_each_live(const std::function<void(const BufferHeader&)>& visit) const {
  for (const BufferHeader* header = live_; header != nullptr; header = header->next) visit(*header);
}

std::vector<Holding> BufferPool::holdings() const {
  std::unordered_map<std::uint64_t, Holding> by_owner;
  for_each_live([&](const BufferHeader& header) {
    Holding& one = by_owner[header.owner];
    one.owner = header.owner;
    ++one.count;
    one.bytes += header.capacity;
  });
  std::vector<Holding> all;
  all.reserve(by_owner.size());
  for (const auto& [owner, one] : by_owner) all.push_back(one);
  std::ranges::sort(all, std::greater{}, &Holding::bytes);
  return all;
}

void BufferPool::count_leaks() {
  for (std::size_t kind = 0; kind < segment::kLeakKinds; ++kind)
    counts_.leaks[kind].store(detector_.found(static_cast<segment::LeakKind>(kind)), std::memory_order_relaxed);
}

std::vector<Leak> BufferPool::sweep(TimePoint now, const LeakDetector::IsOpen& is_open) {
  std::vector<Leak> fresh = detector_.sweep(now, is_open);
  count_leaks();
  return fresh;
}

std::vector<Leak> BufferPool::left_over() {
  if (detector_.level() == LeakDetection::off) return {};
  const std::size_t known = detector_.leaks().size();
  for_each_live([this](const BufferHeader& header) {
    (void)detector_.left_over(header.owner, header.capacity, header.site, header.watched);
  });
  count_leaks();
  return {detector_.leaks().begin() + static_cast<std::ptrdiff_t>(known), detector_.leaks().end()};
}

}  // namespace gray::engine
