#include "router/h2/hpack_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace gray::h2 {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// RFC 7541 appendix A, in its order.
constexpr std::array<Pair, kStaticEntries> kPairs{{{":authority", ""},
                                                   {":method", "GET"},
                                                   {":method", "POST"},
                                                   {":path", "/"},
                                                   {":path", "/index.html"},
                                                   {":scheme", "http"},
                                                   {":scheme", "https"},
                                                   {":status", "200"},
                                                   {":status", "204"},
                                                   {":status", "206"},
                                                   {":status", "304"},
                                                   {":status", "400"},
                                                   {":status", "404"},
                                                   {":status", "500"},
                                                   {"accept-charset", ""},
                                                   {"accept-encoding", "gzip, deflate"},
                                                   {"accept-language", ""},
                                                   {"accept-ranges", ""},
                                                   {"accept", ""},
                                                   {"access-control-allow-origin", ""},
                                                   {"age", ""},
                                                   {"allow", ""},
                                                   {"authorization", ""},
                                                   {"cache-control", ""},
                                                   {"content-disposition", ""},
                                                   {"content-encoding", ""},
                                                   {"content-language", ""},
                                                   {"content-length", ""},
                                                   {"content-location", ""},
                                                   {"content-range", ""},
                                                   {"content-type", ""},
                                                   {"cookie", ""},
                                                   {"date", ""},
                                                   {"etag", ""},
                                                   {"expect", ""},
                                                   {"expires", ""},
                                                   {"from", ""},
                                                   {"host", ""},
                                                   {"if-match", ""},
                                                   {"if-modified-since", ""},
                                                   {"if-none-match", ""},
                                                   {"if-range", ""},
                                                   {"if-unmodified-since", ""},
                                                   {"last-modified", ""},
                                                   {"link", ""},
                                                   {"location", ""},
                                                   {"max-forwards", ""},
                                                   {"proxy-authenticate", ""},
                                                   {"proxy-authorization", ""},
                                                   {"range", ""},
                                                   {"referer", ""},
                                                   {"refresh", ""},
                                                   {"retry-after", ""},
                                                   {"server", ""},
                                                   {"set-cookie", ""},
                                                   {"strict-transport-security", ""},
                                                   {"transfer-encoding", ""},
                                                   {"user-agent", ""},
                                                   {"vary", ""},
                                                   {"via", ""},
                                                   {"www-authenticate", ""}}};

// A name is looked for in the slots from its own on, up to an empty one.
constexpr std::size_t kNameSlots = 256;

constexpr std::size_t name_slot(std::string_view name) {
  const auto letter = [&](std::size_t at) { return static_cast<unsigned char>(name[at]) | 0x20u; };
  return (name.size() * 37 + letter(0) * 5 + letter(name.size() - 1) * 11 + letter(name.size() / 2) * 3) % kNameSlots;
}

constexpr auto kNames = [] {
  std::array<std::uint8_t, kNameSlots> slots{};
  for (std::uint32_t index = 1; index <= kStaticEntries; ++index) {
    const std::string_view name = kPairs[index - 1].first;
    if (index > 1 && kPairs[index - 2].first == name) continue;
    std::size_t slot = name_slot(name);
    while (slots[slot] != 0) slot = (slot + 1) % kNameSlots;
    slots[slot] = static_cast<std::uint8_t>(index);
  }
  return slots;
}();

// Of the bytes of a token only the two cases of a letter give that letter with bit 0x20 set, only '-' gives '-', and
// only ':' gives ':'. Eight are compared at once; the last eight may overlap the ones before.
bool same_eight(const char* token, const char* lower) {
  std::uint64_t a = 0, b = 0;
  std::memcpy(&a, token, sizeof a);
  std::memcpy(&b, lower, sizeof b);
  return (a | 0x2020202020202020) == b;
}

bool equals_lower(std::string_view name, std::string_view lower) {
  const std::size_t size = name.size();
  if (size != lower.size()) return false;
  if (size < 8) {
    return std::equal(name.begin(), name.end(), lower.begin(), [](char a, char b) { return (a | 0x20) == b; });
  }
  for (std::size_t i = 0; i + 8 < size; i += 8) {
    if (!same_eight(name.data() + i, lower.data() + i)) return false;
  }
  return same_eight(name.data() + size - 8, lower.data() + size - 8);
}

constexpr std::size_t kFirstBytes = 512, kFirstSlots = 16;

}  // namespace

const HeaderField& static_entry(std::uint32_t index) {
  static const auto entries = [] {
    std::array<HeaderField, kStaticEntries> made;
    for (std::size_t i = 0; i < kPairs.size(); ++i) {
      made[i] = {kPairs[i].first, kPairs[i].second, traits_of_name(kPairs[i].first)};
    }
    return made;
  }();
  return entries[index - 1];
}

std::uint32_t static_name(std::string_view name) {
  if (name.empty()) return 0;
  for (std::size_t slot = name_slot(name); kNames[slot] != 0; slot = (slot + 1) % kNameSlots) {
    if (equals_lower(name, kPairs[kNames[slot] - 1U].first)) return kNames[slot];
  }
  return 0;
}

HeaderField HpackTable::at(std::uint32_t index) const {
  const Record& record = ring_[slot(count_ - index)];
  const char* name = bytes_.get() + record.at;
  return {{name, record.name}, {name + record.name, record.value}, record.traits};
}

void HpackTable::insert(const HeaderField& field) {
  const std::size_t bytes = field.name.size() + field.value.size();
  if (bytes + kEntryOverhead > max_size_) {
    release();
    return;
  }
  evict(bytes + kEntryOverhead);
  make_room(bytes);
  if (count_ == slots_) grow_ring();
  char* out = bytes_.get() + end_;
  field.name.copy(out, field.name.size());
  field.value.copy(out + field.name.size(), field.value.size());
  ring_[slot(count_)] = {static_cast<std::uint16_t>(end_), static_cast<std::uint16_t>(field.name.size()),
                         static_cast<std::uint16_t>(field.value.size()), field.traits};
  end_ += bytes;
  ++count_;
  size_ += bytes + kEntryOverhead;
}

void HpackTable::resize(std::size_t max_size) {
  max_size_ = max_size;
  evict(0);
  if (count_ == 0) release();
}

// Until an entry of that size fits.
void HpackTable::evict(std::size_t room) {
  while (size_ + room > max_size_) {
    const Record& record = ring_[oldest_];
    const std::size_t bytes = std::size_t{record.name} + record.value;
    size_ -= bytes + kEntryOverhead;
    begin_ += bytes;
    oldest_ = slot(1);
    --count_;
  }
  if (count_ == 0) begin_ = end_ = 0;
}

void HpackTable::release() {
  bytes_.reset();
  ring_.reset();
  size_ = capacity_ = begin_ = end_ = slots_ = oldest_ = 0;
  count_ = 0;
}

// Moves the live bytes to the beginning of the block, or of a larger one.
void HpackTable::make_room(std::size_t bytes) {
  if (end_ + bytes <= capacity_) return;
  const std::size_t live = end_ - begin_;
  const std::size_t most = max_size_ + max_size_ / 2;
  if (capacity_ < most && live + bytes > capacity_ / 2) {
    const std::size_t wanted = std::min(std::max({kFirstBytes, capacity_ * 2, live + bytes}), most);
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (live > 0) std::memcpy(larger.get(), bytes_.get() + begin_, live);
    bytes_ = std::move(larger);
    capacity_ = wanted;
  } else {
    std::memmove(bytes_.get(), bytes_.get() + begin_, live);
  }
  for (std::uint32_t i = 0; i < count_; ++i) {
    Record& record = ring_[slot(i)];
    record.at = static_cast<std::uint16_t>(record.at - begin_);
  }
  begin_ = 0;
  end_ = live;
}

void HpackTable::grow_ring() {
  const std::size_t wanted = std::max(kFirstSlots, slots_ * 2);
  auto larger = std::make_unique<Record[]>(wanted);
  for (std::uint32_t i = 0; i < count_; ++i) larger[i] = ring_[slot(i)];
  ring_ = std::move(larger);
  slots_ = wanted;
  oldest_ = 0;
}

}  // namespace gray::h2
