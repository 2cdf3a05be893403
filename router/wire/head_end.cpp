// The search for the end of a head that comes in pieces.
#include <cstring>

#include "router/wire/head.hpp"

namespace gray::http {

// An empty line with bare LFs counts too: the parser then refuses it at once, not only after the head timeout.
std::size_t find_head_end(std::string_view bytes, std::size_t& searched) {
  while (searched < bytes.size()) {
    const void* found = std::memchr(bytes.data() + searched, '\n', bytes.size() - searched);
    if (found == nullptr) {
      searched = bytes.size();
      return 0;
    }
    const std::size_t line_end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) + 1;
    const std::string_view next = bytes.substr(line_end, 2);
    if (next.starts_with('\n')) return line_end + 1;
    if (next == "\r\n") return line_end + 2;
    if (next.empty() || next == "\r") {
      searched = line_end - 1;
      return 0;
    }
    searched = line_end;
  }
  return 0;
}

}  // namespace gray::http
