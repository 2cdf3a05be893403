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

/// With Case::ignored, texts are tokens (RFC 9110 5.6.2), and those that are added are in lower case.
template <Case kCase>
class TextTable {
 public:
  /// The number of the text in its scope; if it has none it gets `next`, which is then raised.
  std::uint16_t add(std::uint32_t scope, std::string_view text, std::uint16_t& next);
  std::optional<std::uint16_t> find(std::uint32_t scope, std::string_view text) const;

 private:
  struct Entry {
    std::uint64_t hash = 0;  // 0: empty
    std::uint32_t scope = 0, text_at = 0;
    std::uint16_t text_size = 0, number = 0;
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

}  // namespace gray::targeting
