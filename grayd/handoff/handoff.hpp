#pragma once
// The state that one image of grayd hands over to the next across an exec, as text in a sealed memfd:
//
//    grayd handoff NUMBER LENGTH CHECKSUM\\n  and LENGTH bytes of JSON (config/base/archive.hpp)
//
//  Three numbers show beforehand whether another program can read the state and control the running routers: `grayd
//  check-handoff` prints them.
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "config/base/unique_fd.hpp"

namespace gray::master {

inline constexpr unsigned kHandoff = 28;  // raise with every change of a field list; a test compares them
// The last lines of 1024 workers, as long as they may be, are 400 MiB.
inline constexpr std::size_t kMostHandoff = 1024 * 1024 * 1024;  // bytes

/// {"handoff":4,"protocol":4,"layout":3} of this program, one line.
std::string handoff_numbers();
/// Why a program that printed `said` cannot take over from this one; empty: it can.
std::string handoff_mismatch(std::string_view said);

/// Throws std::runtime_error.
UniqueFd pack_handoff(const nlohmann::json& state);
/// Throws std::runtime_error if it is missing or corrupt.
nlohmann::json unpack_handoff(int fd);

}  // namespace gray::master
