#pragma once
// What is wrong with a program that grayd starts, and the remedy, in words: the same in `grayd init`, which tries it
// once, and in `grayd doctor`, which looks at it later. Pure.
#include <cstdint>
#include <string>
#include <vector>

#include "grayd/init/open_ports.hpp"
#include "grayd/init/plan.hpp"

namespace gray::init {

/// "port 80", "ports 80, 81": each once.
std::string ports_text(const std::vector<OpenPort>& ports);
bool has_port(const std::vector<OpenPort>& ports, std::uint16_t port);
/// Those that every interface reaches.
std::vector<OpenPort> open_to_all(const std::vector<OpenPort>& ports);

/// Of a program that listens on `ports` instead of `given`; ports may be empty.
std::string elsewhere(const std::vector<OpenPort>& ports, std::uint16_t given);
std::string how_to_take_port(PortFrom from);
/// Of one that listens on every interface.
std::string everywhere(const std::vector<OpenPort>& open);
inline constexpr const char* kListenOnHost = "let it listen on HOST of its environment (127.0.0.1)";
inline constexpr const char* kNoMessage =
    "it sent no ready message: with one a start is faster by up to 1 s (docs/workers.md)";

/// Mistakes of which the remedy is known by the exit code, or by words of the last lines; empty: no such mistake.
std::vector<std::string> known_mistakes(const std::string& cause, const std::vector<std::string>& last_lines,
                                        std::uint16_t given);

}  // namespace gray::init
