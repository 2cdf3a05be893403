#pragma once
// How a noun whose making does something (starts a process, sweeps, makes a folder) is made without that: empty, and
// its carry(Load&) fills it with what it was before an exec (config/carry.hpp). Every such noun has a constructor that
// takes this tag.

namespace gray {

struct Resumed {};
inline constexpr Resumed kResumed;

}  // namespace gray
