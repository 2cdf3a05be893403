#pragma once
// Percent-encoding in the query of a request.
#include <optional>
#include <span>
#include <string_view>

namespace gray::http {

/// `text` with "%41" as "A" and '+' as a space; a '%' without two hexadecimal digits stays. The result is `text` itself
/// if nothing in it is encoded, else it is in `room`; nothing if it does not fit there.
std::optional<std::string_view> percent_decoded(std::string_view text, std::span<char> room);

}  // namespace gray::http
