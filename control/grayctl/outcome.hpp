#pragma once
#include <string>
#include <utility>

#include "control/grayctl/client.hpp"

namespace gray::control {

/// What a verb came to: the body for programs, the text for people, or what went wrong.
struct Outcome {
  Answer answer;
  std::string text;
};

inline Outcome failed(ExitCode code, std::string error) {
  return {{.code = code, .body = {}, .error = std::move(error)}, {}};
}

}  // namespace gray::control
