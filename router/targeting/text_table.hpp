#pragma once
// Numbers by a scope and a text: a hash table that is filled once and read by every request. A look-up hashes the text
// eight bytes at a time and compares it with one other, rarely with more.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gray::targeting {

enum class Case : std::uint8_t { counts, ignored };

/// With Case::ignored, texts are tokens (RFC 9110 5.6.2) or hosts, and those that are added are in lower case.
template <Case kCase, class Number = std::uint16_t>
class TextTable {
 public:
  /// The number of the text in its scope; if it has none it gets `next`, which is then raised.
  Number add(std::uint32_t scope, std::string_view text, Number& next);
  std::optional<Number> find(std::uint32_t scope, std::string_view text) const;
  /// The slots that a look-up reads at most.
  std::size_t most_steps() const;

 private:
  struct Entry {
    std::uint64_t hash = 0;  // 0: empty
    std::uint32_t scope = 0, text_at = 0;
    std::uint16_t text_size = 0;
    Number number = 0;
  };
  static std::uint64_t hash_of(std::uint32_t scope, std::string_view text);
  bool is(const Entry& entry, std::uint32_t scope, std::string_view text) const;
  void place(const Entry& entry);
  void grow();

  std::string texts_;
  std::size_t count_ = 0;
  std::vector<Entry> slots_;  // a power of two, at most half of them in use
};
extern template class TextTable<Case::counts>;
extern template class TextTable<Case::ignored>;
extern template class TextTable<Case::ignored, std::uint32_t>;

}  // namespace gray::targeting
