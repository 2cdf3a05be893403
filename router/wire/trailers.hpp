#pragma once
// The trailer section of a chunked answer as it is forwarded to a client that asked for it (`TE: trailers`). A trailer
// arrives after all decisions, so it must never act as a field (P21): names that the router acts on, or that concern
// framing, routing, trust, cookies, caches or browsers, are dropped. The rest is the application's own, such as a
// checksum or a status.
#include <cstddef>
#include <string_view>

namespace gray::http {

/// Whether a trailer of this name, a token, is forwarded.
bool is_harmless_trailer(std::string_view name);

/// The most that write_trailers() writes for a section of this size.
constexpr std::size_t trailers_bound(std::size_t section) { return section + section / 4; }

/// `section`: the field lines behind the last chunk, with the empty line or without; the body decoder has checked them.
/// Writes the forwarded ones and returns their length; the empty line is not written.
std::size_t write_trailers(std::string_view section, char* out);

}  // namespace gray::http
