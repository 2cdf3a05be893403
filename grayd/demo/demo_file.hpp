#pragma once
// The configuration of the demo as text. Everything that grayd writes is beside the file. Pure.
#include <cstdint>
#include <string>

namespace gray::demo {

/// `program`: this executable, which is the worker, too.
std::string demo_file(std::uint16_t port, const std::string& program);

}  // namespace gray::demo
