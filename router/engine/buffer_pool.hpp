#pragma once
// Buffers of the data path: handles with an owner and a call site, from per-thread free lists under one byte budget.
//
// Model: a class for each size of segment::kBufferSizes; a larger buffer is allocated from the heap and freed at once
// when it is returned. A handle returns its memory when it dies, so memory cannot leak, but it can be held for too
// long: every live buffer is listed with its owner and the call site that took it, and the leak detector watches some
// of them.
//
// The smallest class: a request keeps its head until its answer has ended, and most heads are below 1 KiB. In buffers
// of 4 KiB each request that waits for a worker would cost 3 KiB more.
//
// Invariants: bytes that are in use or kept never exceed the budget: take() then returns an empty handle, and the
// caller answers 503. Free lists hold at most kKeptBytes each; the rest is freed at once. After a peak they shrink with
// each trim(), to what was in use lately. One thread.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string_view>
#include <utility>
#include <vector>

#include "config/shared/memory_counts.hpp"
#include "router/engine/leak_detector.hpp"
#include "router/engine/memory_budget.hpp"
#include "router/engine/peak.hpp"

#include "router/engine/heap_bytes.hpp"

namespace gray::engine {

class BufferPool;

/// What precedes the bytes of a buffer in memory.
struct alignas(16) BufferHeader {
  BufferPool* pool;
  BufferHeader* next;  // in the list of live buffers, or of free ones
  BufferHeader* prev;
  std::size_t capacity;
  std::uint64_t owner;  // the connection it belongs to: StreamId::key()
  std::source_location site;
  WatchedBuffer* watched;    // null: it is not watched
  std::uint32_t size_class;  // index into segment::MemoryCounts::buffers
};

/// The only handle of one buffer. Keeps the number of bytes that are in use.
class Buffer {
 public:
  Buffer() = default;
  /// Takes over what BufferPool::take() has prepared.
  explicit Buffer(BufferHeader& header) : header_(&header) {}
  Buffer(Buffer&& other) noexcept
      : header_(std::exchange(other.header_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { reset(); }

  explicit operator bool() const { return header_ != nullptr; }
  char* data() { return reinterpret_cast<char*>(header_ + 1); }
  const char* data() const { return reinterpret_cast<const char*>(header_ + 1); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return header_ == nullptr ? 0 : header_->capacity; }
  /// Bytes of memory, with all overhead.
  std::size_t held() const { return header_ == nullptr ? 0 : heap_bytes(sizeof(BufferHeader) + header_->capacity); }
  std::size_t room() const { return capacity() - size_; }
  std::string_view view() const { return header_ == nullptr ? std::string_view{} : std::string_view{data(), size_}; }
  /// At most room() bytes.
  void append(std::string_view bytes);
  /// Drops the first `count` bytes.
  void consume(std::size_t count);
  void clear() {
    size_ = 0;
    note_use();
  }
  /// For a report, should the buffer be held for too long: who holds it from now on. `holder` is a literal.
  void touch(const char* holder) {
    if (header_ != nullptr && header_->watched != nullptr) [[unlikely]]
      record(holder);
  }
  /// It lives as long as its owner's exchange, so its age is no sign of a leak.
  void set_long_lived() {
    if (header_ != nullptr && header_->watched != nullptr) [[unlikely]]
      header_->watched->long_lived = true;
  }
  void reset() {
    if (header_ != nullptr) give_back();
    size_ = 0;
  }

 private:
  void give_back();
  void record(const char* holder);
  void note_use() {
    if (header_ == nullptr || header_->watched == nullptr) [[likely]]
      return;
    header_->watched->used = size_;
    header_->watched->changed = true;
  }

  BufferHeader* header_ = nullptr;
  std::size_t size_ = 0;
};

/// The buffers of one owner.
struct Holding {
  std::uint64_t owner = 0;  // StreamId::key()
  std::size_t count = 0, bytes = 0;
};

class BufferPool {
 public:
  static constexpr std::size_t kKeptBytes = 1 << 20;    // in each free list
  static constexpr std::size_t kFloorBytes = 64 << 10;  // in all of them: not worth a trim

  /// `surplus` is called when has_surplus() becomes true: trim() is to be called until it is false. `counts`: where
  /// others read what the pool does; it must outlive the pool.
  BufferPool(MemoryBudget& memory, std::function<void()> surplus, segment::MemoryCounts& counts, LeakDetector detector)
      : memory_(memory), surplus_(std::move(surplus)), counts_(counts), detector_(std::move(detector)) {}
  /// A pool with a budget of its own.
  explicit BufferPool(std::size_t budget, std::function<void()> surplus = {}) : BufferPool(budget, surplus, own_) {}
  BufferPool(std::size_t budget, std::function<void()> surplus, segment::MemoryCounts& counts,
             LeakDetector detector = LeakDetector(1))
      : own_memory_(std::make_unique<MemoryBudget>(budget)),
        memory_(*own_memory_),
        surplus_(std::move(surplus)),
        counts_(counts),
        detector_(std::move(detector)) {}
  ~BufferPool();  // aborts if a buffer is still live: its handle would write into freed memory
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// A buffer of at least `size` bytes, or an empty handle when the budget (or the system's memory) is used up.
  Buffer take(std::size_t size, std::uint64_t owner, std::source_location site = std::source_location::current());
  /// `buffer` with room for `more` bytes behind its content; false, and unchanged, when the budget is used up.
  bool reserve(Buffer& buffer, std::size_t more, std::uint64_t owner,
               std::source_location site = std::source_location::current());
  /// Moves a small rest in a large buffer to a smaller one, if there is one.
  void shrink(Buffer& buffer, std::uint64_t owner, std::source_location site = std::source_location::current());
  /// The memory of a buffer whose handle dies; called by the handle.
  void give_back(BufferHeader& header);

  /// Frees kept buffers of each class by the rule of Peak, without a floor. The bytes that were freed; they may be 0
  /// although has_surplus().
  std::size_t trim();
  bool has_surplus() const { return kept_ > Peak::kept_of(outstanding_, kFloorBytes); }
  /// Frees all kept buffers. The bytes.
  std::size_t drop_kept();

  std::size_t outstanding() const { return outstanding_; }
  std::size_t kept() const { return kept_; }
  std::uint64_t refused() const { return refused_; }
  void for_each_live(const std::function<void(const BufferHeader&)>& visit) const;
  /// The live buffers of each owner, the largest first. They add up to outstanding().
  std::vector<Holding> holdings() const;

  LeakDetector& detector() { return detector_; }
  const LeakDetector& detector() const { return detector_; }
  /// LeakDetector::sweep(), counted.
  std::vector<Leak> sweep(TimePoint now, const LeakDetector::IsOpen& is_open);
  /// At the end of a drain: every buffer that is left, and what was not reported before. None if the level is `off`.
  std::vector<Leak> left_over();

 private:
  /// The buffers of one class. Bytes.
  struct SizeClass {
    BufferHeader* first = nullptr;  // of those that are kept
    std::size_t kept = 0;
    std::size_t in_use = 0;
    std::size_t high_water = 0;
    Peak peak;
  };
  BufferHeader* obtain(std::size_t capacity, std::uint32_t index);
  BufferHeader* allocate(std::size_t capacity);
  void use(std::uint32_t index, std::size_t bytes);
  void keep(BufferHeader& header);
  void set_kept(std::uint32_t index, std::size_t bytes);
  void release(BufferHeader* header);
  void count_leaks();

  std::unique_ptr<MemoryBudget> own_memory_;  // null: it is shared
  MemoryBudget& memory_;                      // bytes of payload, those that are kept too
  std::function<void()> surplus_;
  segment::MemoryCounts& counts_;
  std::size_t outstanding_ = 0;
  std::size_t kept_ = 0;
  std::uint64_t refused_ = 0;
  BufferHeader* live_ = nullptr;
  SizeClass classes_[segment::kBufferClasses];
  LeakDetector detector_;
  segment::MemoryCounts own_{};  // of a pool whose figures nobody else reads
};

}  // namespace gray::engine
