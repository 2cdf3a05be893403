#pragma once
// The version of grayd and grayctl. Tests compare it with the project version in CMakeLists.txt.

namespace gray::control {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace gray::control
