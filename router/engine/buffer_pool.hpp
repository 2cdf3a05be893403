#pragma once
// Buffers of the data path: handles with an owner and a call site, from per-thread free lists under one byte budget.
//
// Model: four size classes; a larger request is allocated from the heap and freed at once when it is returned. A
// handle returns its memory when it dies, so memory cannot leak, but it can be held for too long: every live buffer is
// listed with its owner and the call site that took it (for_each_live).
//
// Invariants: outstanding bytes never exceed the budget: take() then returns an empty handle, and the caller answers
// 503. Free lists hold at most kKeptBytes each; the rest is freed at once. After a peak they shrink with each trim(),
// to what was in use lately. One thread.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string_view>
#include <utility>

#include "router/engine/heap_bytes.hpp"

namespace gray::engine {

class BufferPool;

/// What precedes the bytes of a buffer in memory.
struct BufferHeader {
  BufferPool* pool;
  BufferHeader* next;  // in the list of live buffers, or of free ones
  BufferHeader* prev;
  std::size_t capacity;
  std::uint64_t owner;  // the connection it belongs to
  std::source_location site;
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
  void clear() { size_ = 0; }
  void reset() {
    if (header_ != nullptr) give_back();
    size_ = 0;
  }

 private:
  void give_back();
  BufferHeader* header_ = nullptr;
  std::size_t size_ = 0;
};

class BufferPool {
 public:
  static constexpr std::size_t kClasses[] = {1024, 4096, 16384, 65536};  // bytes of payload
  static constexpr std::size_t kKeptBytes = 1 << 20;                     // in each free list
  static constexpr std::size_t kFloorBytes = 64 << 10;                   // in all of them: not worth a trim

  /// `surplus` is called when more than kFloorBytes are kept: trim() is to be called until kept() is below.
  explicit BufferPool(std::size_t budget, std::function<void()> surplus = {})
      : budget_(budget), surplus_(std::move(surplus)) {}
  ~BufferPool();  // aborts if a buffer is still live: its handle would write into freed memory
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// A buffer of at least `size` bytes, or an empty handle when the budget (or the system's memory) is used up.
  Buffer take(std::size_t size, std::uint64_t owner, std::source_location site = std::source_location::current());
  /// `buffer` with room for `more` bytes behind its content; false, and unchanged, when the budget is used up.
  bool reserve(Buffer& buffer, std::size_t more, std::uint64_t owner,
               std::source_location site = std::source_location::current());
  /// The memory of a buffer whose handle dies; called by the handle.
  void give_back(BufferHeader& header);

  /// Frees half of what exceeds 1.25 times the most that was in use since the last call, in each free list. The bytes
  /// that were freed.
  std::size_t trim();

  std::size_t outstanding() const { return outstanding_; }
  std::size_t kept() const { return kept_; }
  std::uint64_t refused() const { return refused_; }
  void for_each_live(const std::function<void(const BufferHeader&)>& visit) const;

 private:
  struct FreeList {
    BufferHeader* first = nullptr;
    std::size_t bytes = 0;
    std::size_t in_use = 0;
    std::size_t most = 0;  // in use since the last trim
  };
  BufferHeader* obtain(std::size_t capacity, FreeList* list);
  FreeList* list_for(std::size_t capacity);

  std::size_t budget_;
  std::function<void()> surplus_;
  std::size_t outstanding_ = 0;
  std::size_t kept_ = 0;
  std::uint64_t refused_ = 0;
  BufferHeader* live_ = nullptr;
  FreeList free_[std::size(kClasses)];
};

}  // namespace gray::engine
