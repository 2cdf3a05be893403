#pragma once
// Untrusted text for the eyes of people: output of workers, paths, header fields. A terminal may interpret control
// characters, also those from U+0080 to U+009F, and bidirectional controls show a text in a different order than it
// has. Bytes that are not UTF-8 count as control characters, because a terminal may read them as Latin-1. Pure.
#include <cstddef>
#include <string>
#include <string_view>

namespace gray {

/// Bytes of the well-formed UTF-8 character at the front of `text` (RFC 3629); 0: there is none.
std::size_t utf8_length(std::string_view text);
/// The number of a well-formed UTF-8 character.
char32_t code_point(std::string_view character);
/// Whether the character must not reach a terminal: C0, DEL, C1, line and paragraph separators, and the bidirectional
/// controls of Unicode (UAX #9 section 2).
bool is_control(char32_t code_point);

enum class Tabs : bool { replaced, kept };
/// Replaces each byte of each control character, and each byte that is not UTF-8. The size stays.
void make_printable(std::string& text, char replacement, Tabs tabs = Tabs::replaced);

}  // namespace gray
