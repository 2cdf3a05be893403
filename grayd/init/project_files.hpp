#pragma once
// Reads what recognition.hpp needs of a folder. Bounded: at most kNames names, and of each text at most kTextBytes; a
// larger file counts as one that cannot be read. Nothing is executed, and links to folders are not entered.
#include <cstddef>
#include <string>

#include "grayd/init/plan.hpp"

namespace gray::init {

constexpr std::size_t kNames = 2'000;
constexpr std::size_t kTextBytes = 256 * 1024;
constexpr std::size_t kSources = 64;  // texts of sources, in all

/// Throws std::system_error if the folder cannot be listed.
Project read_project(const std::string& folder);

/// One text, at most `limit` bytes of it are read.
ProjectFile read_text(const std::string& path, std::size_t limit = kTextBytes);

}  // namespace gray::init
