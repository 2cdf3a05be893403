#pragma once
// grayctl's side of the admin API: one verb, one connection, one answer.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "config/base/exit_code.hpp"
#include "config/base/time.hpp"

namespace gray::control {

struct Answer {
  ExitCode code = ExitCode::ok;
  nlohmann::json body;  // the verb's answer; of a refusal, what came with it
  std::string error;    // not ok: what was wrong and what to do
};

/// The socket to use: `asked` (--socket), else $GRAYCTL_SOCKET, else run/grayd.sock if it is there, else
/// /run/grayd/grayd.sock.
std::string find_socket(std::string_view asked);

class Client {
 public:
  /// `timeout`: how long grayd may keep silent; longer than the wait it grants a verb by itself.
  explicit Client(std::string socket, Duration timeout = Duration{15'000})
      : socket_(std::move(socket)), timeout_(timeout) {}

  /// Verbs that only look, and verbs that change something. `args` is an object.
  Answer get(std::string_view verb, const nlohmann::json& args = nlohmann::json::object());
  Answer post(std::string_view verb, const nlohmann::json& args = nlohmann::json::object());

 private:
  template <typename Send>
  Answer exchange(Send send);

  std::string socket_;
  Duration timeout_;
};

}  // namespace gray::control
