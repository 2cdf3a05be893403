#pragma once
// The file of an allowlist: one id in a line, without the blanks around it. Empty lines, and lines that begin with '#',
// are skipped.
#include <cstdint>
#include <string>
#include <vector>

#include "config/settings/file_stamp.hpp"

namespace gray {

/// Adds allowlist_hash() of each id to `hashes`. Returns what is wrong with the file and what to do about it, without
/// its name; empty: nothing. Reads kMaxAllowlistFile bytes and kMaxAllowlist ids at most; `stamp`: of the file.
std::string read_allowlist_file(const std::string& path, std::vector<std::uint64_t>& hashes, FileStamp& stamp);

/// `id` without spaces, tabs and carriage returns around it.
std::string_view bare_id(std::string_view id);

}  // namespace gray
