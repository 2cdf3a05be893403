#pragma once
// A verb over HTTP, on the admin socket and on the page: arguments from a request, the reply of the Daemon into a
// response. The argument "timeout_ms" (1..120000, 10000 if absent) bounds the wait for the Daemon.
#include <httplib.h>

#include <string>

#include "control/api/cut_off.hpp"
#include "control/api/fd_stream.hpp"
#include "control/api/seats.hpp"
#include "control/daemon.hpp"

namespace gray::control {

/// 200 and the body of the reply, or {"schema_version", "exit_code", "error"} with a 4xx or 5xx.
void write_reply(const Reply& reply, httplib::Response& response);

/// The query of a GET or HEAD, the body of a POST; not an object if they cannot be read.
nlohmann::json arguments_of(const httplib::Request& request);

/// Asks the Daemon for one caller at a time; it belongs to one thread.
class VerbAnswer {
 public:
  /// `cut_off` and `seats` are shared and must outlive this. `seats`: for callers that wait for an event ("wait_ms").
  VerbAnswer(Daemon& daemon, const CutOff& cut_off, Seats& seats) : daemon_(daemon), cut_off_(cut_off), seats_(seats) {}

  void answer(const std::string& verb, nlohmann::json args, const FdStream& caller, httplib::Response& response);
  /// Waits for the reply of the Daemon, until the time is up, the caller is gone or the server ends.
  Reply ask(const std::string& verb, nlohmann::json args, const FdStream& caller);

 private:
  Daemon& daemon_;
  const CutOff& cut_off_;
  Seats& seats_;
};

}  // namespace gray::control
