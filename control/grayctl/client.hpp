#pragma once
// The client side of the admin API: one verb, one connection, one answer.
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "config/base/exit_code.hpp"
#include "config/base/time.hpp"

namespace gray::control {

struct Answer {
  ExitCode code = ExitCode::ok;
  nlohmann::json body;  // the answer of the verb; for a refusal, the other members of the reply
  std::string error;    // not ok: the error and what to do
};

/// The socket to use: `asked` (--socket), else the usual one (config/base/socket_search.hpp).
std::string find_socket(std::string_view asked);

/// Ends Client::follow() from another thread, at once; also one that begins later.
class Interrupt {
 public:
  void now();
  bool given() const;

 private:
  friend class Client;
  mutable std::mutex mutex_;
  std::function<void()> stop_;
  bool given_ = false;
};

class Client {
 public:
  /// A grayd that replaces itself may not answer for so long; after that it counts as dead.
  static constexpr Duration kUpgradeTime{5'000};

  /// `timeout`: how long grayd may send nothing; longer than grayd's own time limit for a verb.
  explicit Client(std::string socket, Duration timeout = Duration{15'000})
      : socket_(std::move(socket)), timeout_(timeout) {}

  /// GET for verbs that change nothing, POST for the others. `args` is an object.
  Answer get(std::string_view verb, const nlohmann::json& args = nlohmann::json::object());
  Answer post(std::string_view verb, const nlohmann::json& args = nlohmann::json::object());
  /// GET of a stream. `take` gets the bytes as they come, and ends it with false. Returns when the stream ended; the
  /// answer says why, and is never ok.
  Answer follow(std::string_view verb, const std::function<bool(std::string_view bytes)>& take, Interrupt& interrupt);

 private:
  template <typename Send>
  Answer exchange(Send send);

  std::string socket_;
  Duration timeout_;
};

}  // namespace gray::control
