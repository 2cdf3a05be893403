#pragma once
// The tables of an HPACK decoder (RFC 7541 section 2.3): the 61 fixed entries, and the dynamic ones, newest first.
//
// Model: the bytes of dynamic entries follow each other in one block, oldest first; a ring of records says where each
// is. When the block is full, the live bytes move to its beginning; it grows up to one and a half times the limit of
// the table, so that each byte is moved at most twice.
//
// Invariants: no memory before the first insertion, and none when the table has become empty. The sizes of the entries,
// with 32 for each, never exceed max_size().
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "router/h2/field_traits.hpp"

namespace gray::h2 {

inline constexpr std::size_t kTableSize = 4096;  // the RFC's first value; we never announce another
inline constexpr std::size_t kEntryOverhead = 32;
inline constexpr std::uint32_t kStaticEntries = 61;

/// `index`: 1..kStaticEntries
const HeaderField& static_entry(std::uint32_t index);
/// The first index with this name, a token in lower case or not; 0: there is none.
std::uint32_t static_name(std::string_view name);

class HpackTable {
 public:
  /// The largest table that the peer may ask for, in bytes as the RFC counts them: at most 32768.
  explicit HpackTable(std::size_t limit = kTableSize) : limit_(limit), max_size_(limit) {}

  std::size_t limit() const { return limit_; }
  std::size_t max_size() const { return max_size_; }
  std::size_t size() const { return size_; }
  std::uint32_t count() const { return count_; }
  /// Bytes of heap memory.
  std::size_t memory() const { return capacity_ + slots_ * sizeof(Record); }

  /// `index`: 1..count(), the newest first. The views are valid until the next change.
  HeaderField at(std::uint32_t index) const;
  /// Evicts what does not fit. An entry larger than the table empties it. No view of `field` may be one of this table.
  void insert(const HeaderField& field);
  /// At most limit().
  void resize(std::size_t max_size);
  /// Our own announced limit, for an endpoint that changes it.
  void set_limit(std::size_t limit) { limit_ = limit; }

 private:
  struct Record {
    std::uint16_t at = 0;               // where its name is; its value is behind it
    std::uint16_t name = 0, value = 0;  // lengths
    FieldTraits traits;
  };

  void evict(std::size_t room);
  void release();
  void make_room(std::size_t bytes);
  void grow_ring();
  std::size_t slot(std::uint32_t age) const { return (oldest_ + age) & (slots_ - 1); }

  std::unique_ptr<char[]> bytes_;
  std::unique_ptr<Record[]> ring_;
  std::size_t limit_, max_size_;
  std::size_t size_ = 0;      // as the RFC counts
  std::size_t capacity_ = 0;  // of bytes_
  std::size_t begin_ = 0, end_ = 0;
  std::size_t slots_ = 0;  // of ring_; a power of two
  std::size_t oldest_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace gray::h2
