#pragma once
// What one image of grayd leaves for the next across an exec: its state as a text in a sealed memfd,
//
//   grayd handoff NUMBER LENGTH CHECKSUM\n  and LENGTH bytes of JSON (config/base/archive.hpp)
//
// and three numbers by which it is known beforehand whether another program can read it, and go on with the routers
// that live: `grayd check-handoff` prints them.
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "config/base/unique_fd.hpp"

namespace gray::master {

inline constexpr unsigned kHandoff = 6;  // raise with every change of a field list; a test compares them
// The last lines of 1024 workers, as long as they may be, are 400 MiB.
inline constexpr std::size_t kMostHandoff = 1024 * 1024 * 1024;  // bytes

/// {"handoff":4,"protocol":4,"layout":3} of this program, one line.
std::string handoff_numbers();
/// Why a program that says `said` cannot go on where this one stops; empty: it can.
std::string handoff_mismatch(std::string_view said);

/// Throws std::runtime_error.
UniqueFd pack_handoff(const nlohmann::json& state);
/// Throws std::runtime_error: what is wrong with it.
nlohmann::json unpack_handoff(int fd);

}  // namespace gray::master
