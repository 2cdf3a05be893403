#pragma once
// HPACK: a header block in, its fields out (RFC 7541). One for each connection, because the table is its state.
//
// Invariants: a block is decoded whole or the connection ends: after a fault the two tables may differ. Every integer
// is bounded (28 bits), and so is every string: it is no longer than the block, or 8/5 of it with Huffman.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "router/h2/hpack_table.hpp"

namespace gray::h2 {

/// Takes the fields of one block, in their order.
class FieldSink {
 public:
  /// The views are valid during the call only.
  virtual void field(const HeaderField& field) = 0;

 protected:
  ~FieldSink() = default;
};

/// Where strings are decoded to: one for all connections of a thread.
class StringRoom {
 public:
  /// `block`: the largest header block.
  explicit StringRoom(std::size_t block);
  char* begin() { return bytes_.data(); }
  std::size_t block() const { return block_; }

 private:
  std::size_t block_;
  std::vector<char> bytes_;
};

class HpackDecoder {
 public:
  explicit HpackDecoder(std::size_t table_limit = kTableSize) : table_(table_limit) {}

  /// `block`: at most room.block() bytes. Null: the whole block was decoded; otherwise the broken rule, in words: a
  /// COMPRESSION_ERROR.
  const char* decode(std::string_view block, StringRoom& room, FieldSink& sink);

  /// We have announced another table limit, and the peer has acknowledged it. If that is less than its table now has,
  /// its next block must begin with a size update.
  void set_table_limit(std::size_t limit);

  const HpackTable& table() const { return table_; }

 private:
  struct Reader;
  const char* decode_field(Reader& reader, FieldSink& sink);
  const char* indexed(Reader& reader, FieldSink& sink);
  const char* literal(Reader& reader, unsigned prefix, bool insert, FieldSink& sink);
  const char* size_update(Reader& reader);
  bool find(std::uint32_t index, HeaderField& field) const;

  HpackTable table_;
  bool must_shrink_ = false;  // the next block must begin with a size update
};

}  // namespace gray::h2
