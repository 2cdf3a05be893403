#pragma once
// The lines of a crashed worker's output that tell most about the crash. Pure.
#include <cstddef>
#include <string>
#include <vector>

namespace gray::supervisor {

/// At most `most` of `lines` (oldest first), in their order: the last ones, without blank lines and without the lines
/// of a stack and its end. If the last line that names an error ("TypeError: ...", "panic: ...") would not be among
/// them, then that line and those after it.
std::vector<std::string> last_lines(const std::vector<std::string>& lines, std::size_t most);

}  // namespace gray::supervisor
