#pragma once
// What an allocation of `size` bytes takes from the heap, with the allocator's word in front of it (glibc malloc: in
// steps of 16 bytes, at least 32). For reports only: other allocators differ by a few bytes.
#include <algorithm>
#include <cstddef>
#include <string>

namespace gray::engine {

constexpr std::size_t heap_bytes(std::size_t size) {
  return size == 0 ? 0 : std::max<std::size_t>(32, (size + 8 + 15) / 16 * 16);
}
/// Of a text that does not fit into its object.
inline std::size_t heap_bytes(const std::string& text) {
  return text.capacity() <= 15 ? 0 : heap_bytes(text.capacity() + 1);
}

}  // namespace gray::engine
