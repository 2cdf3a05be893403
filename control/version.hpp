#pragma once
// The version that grayd and grayctl say they are. Tests hold it equal to the project version of CMakeLists.txt.

namespace gray::control {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace gray::control
