#pragma once
// The tag of constructors that do nothing: no process is started, nothing is swept, no folder is made. archive(Load&)
// then fills the object with its state before an exec (config/base/archive.hpp).

namespace gray {

struct Restored {};
inline constexpr Restored kRestored;

}  // namespace gray
