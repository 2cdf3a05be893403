#pragma once
#include <string>
#include <utility>

#include "control/grayctl/client.hpp"

namespace gray::control {

/// The result of a verb: the body for programs, the text for people, or the error.
struct Outcome {
  Answer answer;
  std::string text;
  ExitCode end = ExitCode::ok;  // of grayctl, if the answer is ok
};

inline Outcome failed(ExitCode code, std::string error) {
  return {{.code = code, .body = {}, .error = std::move(error)}, {}};
}

}  // namespace gray::control
