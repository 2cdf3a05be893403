#pragma once
// JSON that comes from, or goes to, another process. Included only by .cpp files.
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace gray {

/// What was read is not what it should be; the text names the field.
struct JsonMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Never throws: bytes that are no UTF-8 are replaced.
inline std::string json_dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace gray
