#pragma once
// The file that this process was started from, by the name that was used: a link in the path is resolved when the file
// is used, so that an upgrade runs what the link leads to then.
#include <string>
#include <string_view>

namespace gray::master {

/// `started_as`: the path given to execve(2), relative to `cwd`. `actual`: the file by the kernel's name, which is used
/// if the other path leads to a different file, or to none.
std::string program_path(std::string_view started_as, const std::string& cwd, const std::string& actual);

/// Of this process, for its first image. A package that replaces the file meanwhile uses the same path.
std::string own_program();

}  // namespace gray::master
