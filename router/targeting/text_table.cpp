#include "router/targeting/text_table.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "router/http/message.hpp"

namespace gray::targeting {
namespace {

constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15;
// In tokens it maps the two cases of a letter to one; other characters may collide, which a comparison then finds.
constexpr std::uint64_t kCaseBits = 0x2020202020202020;

std::uint64_t stirred(std::uint64_t value) {
  value *= kFactor;
  return value ^ value >> 32;
}

template <class Word>
std::uint64_t word_at(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Up to eight bytes, different for different texts of one length.
std::uint64_t short_text(const char* at, std::size_t size) {
  if (size >= 4) return word_at<std::uint32_t>(at) << 32 | word_at<std::uint32_t>(at + size - 4);
  if (size == 0) return 0;
  return word_at<std::uint8_t>(at) << 16 | word_at<std::uint8_t>(at + size / 2) << 8 |
         word_at<std::uint8_t>(at + size - 1);
}

}  // namespace

template <Case kCase, class Number>
std::uint64_t TextTable<kCase, Number>::hash_of(std::uint32_t scope, std::string_view text) {
  constexpr std::uint64_t kBits = kCase == Case::ignored ? kCaseBits : 0;
  std::uint64_t hash = (std::uint64_t{scope} << 16 ^ text.size()) + 1;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left > 8; left -= 8, at += 8) hash = stirred(hash ^ (word_at<std::uint64_t>(at) | kBits));
  return stirred(stirred(hash ^ (short_text(at, left) | kBits))) | 1;
}

template <Case kCase, class Number>
bool TextTable<kCase, Number>::is(const Entry& entry, std::uint32_t scope, std::string_view text) const {
  if (entry.scope != scope || entry.text_size != text.size()) return false;
  const std::string_view known(texts_.data() + entry.text_at, entry.text_size);
  return kCase == Case::ignored ? http::equals_ignoring_case(known, text) : known == text;
}

template <Case kCase, class Number>
std::optional<Number> TextTable<kCase, Number>::find(std::uint32_t scope, std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint64_t hash = hash_of(scope, text);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash >> 1 & mask; slots_[at].hash != 0; at = (at + 1) & mask)
    if (slots_[at].hash == hash && is(slots_[at], scope, text)) return slots_[at].number;
  return std::nullopt;
}

template <Case kCase, class Number>
void TextTable<kCase, Number>::place(const Entry& entry) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = entry.hash >> 1 & mask;
  while (slots_[at].hash != 0) at = (at + 1) & mask;
  slots_[at] = entry;
}

template <Case kCase, class Number>
void TextTable<kCase, Number>::grow() {
  const std::vector<Entry> old = std::exchange(slots_, std::vector<Entry>(std::max<std::size_t>(8, slots_.size() * 2)));
  for (const Entry& entry : old)
    if (entry.hash != 0) place(entry);
}

template <Case kCase, class Number>
Number TextTable<kCase, Number>::add(std::uint32_t scope, std::string_view text, Number& next) {
  if (const auto known = find(scope, text)) return *known;
  if (++count_ * 2 > slots_.size()) grow();
  place({.hash = hash_of(scope, text),
         .scope = scope,
         .text_at = static_cast<std::uint32_t>(texts_.size()),
         .text_size = static_cast<std::uint16_t>(text.size()),
         .number = next});
  texts_ += text;
  return next++;
}

/// Of the longest run of slots in use, and the empty one behind it. A run may go on at the first slot.
template <Case kCase, class Number>
std::size_t TextTable<kCase, Number>::most_steps() const {
  std::size_t most = 0, run = 0;
  for (std::size_t i = 0; i < slots_.size() * 2; ++i) {
    run = slots_[i % slots_.size()].hash == 0 ? 0 : run + 1;
    most = std::max(most, run);
  }
  return most + 1;
}

template class TextTable<Case::counts>;
template class TextTable<Case::ignored>;
template class TextTable<Case::ignored, std::uint32_t>;

}  // namespace gray::targeting
