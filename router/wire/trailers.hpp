#pragma once
// The trailer section of a chunked answer as it goes on to a client that asked for it (`TE: trailers`). A trailer comes
// when everybody has decided already: it must never mean what a field means (P21). So a name that the router acts on,
// that frames, routes, vouches, sets cookies, or steers caches and browsers is dropped; what is left is the
// application's own word, a checksum or a status.
#include <cstddef>
#include <string_view>

namespace gray::http {

/// Whether a trailer of this name, a token, goes on.
bool is_harmless_trailer(std::string_view name);

/// The most that write_trailers() writes for a section of this size.
constexpr std::size_t trailers_bound(std::size_t section) { return section + section / 4; }

/// `section`: the field lines behind the last chunk, with the empty line or without; the body decoder has checked them.
/// Writes those that go on and returns their length; the empty line is not written.
std::size_t write_trailers(std::string_view section, char* out);

}  // namespace gray::http
