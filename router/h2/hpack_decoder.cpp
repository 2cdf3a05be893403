#include "router/h2/hpack_decoder.hpp"

#include "router/h2/huffman.hpp"

namespace gray::h2 {

namespace {

constexpr std::uint32_t kMostInteger = (1U << 28) - 1;
constexpr unsigned kIndexed = 0x80, kInserted = 0x40, kSizeUpdate = 0x20, kHuffman = 0x80;
constexpr int kMaxSizeUpdates = 2;  // the smallest size since the last block, and the final one (RFC 7541 4.2)

constexpr const char* kTruncated = "a header block ends inside of a field";
constexpr const char* kLargeInteger = "an HPACK integer is too large";
constexpr const char* kNoEntry = "an HPACK index without an entry";

}  // namespace

StringRoom::StringRoom(std::size_t block) : block_(block), bytes_(huffman_bound(block) + 2 * kTableSize) {}

struct HpackDecoder::Reader {
  const char* at;
  const char* end;
  char* out;  // the end of what was decoded of the current field

  unsigned peek() const { return static_cast<unsigned char>(*at); }

  // RFC 7541 5.1; at most four bytes behind the first one, so zeros that only make it longer end, too.
  const char* integer(unsigned prefix, std::uint32_t& value) {
    const std::uint32_t mask = (1U << prefix) - 1;
    value = peek() & mask;
    ++at;
    if (value < mask) return nullptr;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      if (at == end) return kTruncated;
      const unsigned byte = peek();
      ++at;
      value += (byte & 0x7fU) << shift;
      if (value > kMostInteger) return kLargeInteger;
      if ((byte & 0x80U) == 0) return nullptr;
    }
    return kLargeInteger;
  }

  const char* string(std::string_view& text) {
    if (at == end) return kTruncated;
    const bool huffman = (peek() & kHuffman) != 0;
    std::uint32_t length = 0;
    if (const char* fault = integer(7, length)) return fault;
    if (length > static_cast<std::size_t>(end - at)) return kTruncated;
    text = {at, length};
    at += length;
    if (!huffman) return nullptr;
    const std::optional<std::size_t> decoded = decode_huffman(text, out);
    if (!decoded) return "a malformed Huffman string";
    text = {out, *decoded};
    out += *decoded;
    return nullptr;
  }

  std::string_view copy(std::string_view text) {
    text.copy(out, text.size());
    out += text.size();
    return {out - text.size(), text.size()};
  }
};

const char* HpackDecoder::decode(std::string_view block, StringRoom& room, FieldSink& sink) {
  Reader reader{block.data(), block.data() + block.size(), room.begin()};
  for (int updates = 0; reader.at != reader.end && (reader.peek() & 0xe0U) == kSizeUpdate; ++updates) {
    if (updates == kMaxSizeUpdates) return "more than two HPACK size updates";
    if (const char* fault = size_update(reader)) return fault;
  }
  if (must_shrink_) return "no HPACK size update after a lower SETTINGS_HEADER_TABLE_SIZE";
  while (reader.at != reader.end) {
    reader.out = room.begin();
    if (const char* fault = decode_field(reader, sink)) return fault;
  }
  return nullptr;
}

const char* HpackDecoder::decode_field(Reader& reader, FieldSink& sink) {
  const unsigned first = reader.peek();
  if ((first & kIndexed) != 0) return indexed(reader, sink);
  if ((first & kInserted) != 0) return literal(reader, 6, true, sink);
  if ((first & kSizeUpdate) != 0) return "an HPACK size update behind a field";
  return literal(reader, 4, false, sink);
}

const char* HpackDecoder::indexed(Reader& reader, FieldSink& sink) {
  std::uint32_t index = 0;
  if (const char* fault = reader.integer(7, index)) return fault;
  HeaderField field;
  if (!find(index, field)) return kNoEntry;
  sink.field(field);
  return nullptr;
}

const char* HpackDecoder::literal(Reader& reader, unsigned prefix, bool insert, FieldSink& sink) {
  std::uint32_t index = 0;
  if (const char* fault = reader.integer(prefix, index)) return fault;
  HeaderField field;
  if (index == 0) {
    if (const char* fault = reader.string(field.name)) return fault;
    field.traits = traits_of_name(field.name);
  } else {
    if (!find(index, field)) return kNoEntry;
    // The insertion may move or evict the entry that has the name.
    if (index > kStaticEntries && insert) field.name = reader.copy(field.name);
  }
  if (const char* fault = reader.string(field.value)) return fault;
  field.traits.valid_value = is_valid_value(field.value);
  sink.field(field);
  if (insert) table_.insert(field);
  return nullptr;
}

const char* HpackDecoder::size_update(Reader& reader) {
  std::uint32_t size = 0;
  if (const char* fault = reader.integer(5, size)) return fault;
  if (size > table_.limit()) return "an HPACK size update above SETTINGS_HEADER_TABLE_SIZE";
  table_.resize(size);
  must_shrink_ = false;
  return nullptr;
}

void HpackDecoder::set_table_limit(std::size_t limit) {
  table_.set_limit(limit);
  must_shrink_ = limit < table_.max_size();
}

bool HpackDecoder::find(std::uint32_t index, HeaderField& field) const {
  if (index == 0 || index > kStaticEntries + table_.count()) return false;
  field = index <= kStaticEntries ? static_entry(index) : table_.at(index - kStaticEntries);
  return true;
}

}  // namespace gray::h2
