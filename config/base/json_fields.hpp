#pragma once
// JSON from or to other processes. Included only by .cpp files.
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace gray {

/// The input is not as expected; the text names the field.
struct JsonMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Never throws: bytes that are not UTF-8 are replaced.
inline std::string json_dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace gray
