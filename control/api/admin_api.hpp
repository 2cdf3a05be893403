#pragma once
// One request of the admin API: its verb and arguments, and the reply of the Daemon as HTTP.
//
//   GET  /v1/VERB?name=value   POST /v1/VERB with a JSON object     200 and the reply's body, or
//                                                                   {"schema_version", "exit_code", "error"} with a 4xx
//                                                                   or 5xx
//   GET  /v1/live   the live feed as Server-Sent Events (control/api/live_feed.hpp)
//   GET  /metrics              Prometheus text                      GET /healthz   "ok": this thread answers
//
// The argument "timeout_ms" (1..120000, 10000 if absent) bounds the wait for the Daemon. A verb that changes something
// gets the process of the caller as the argument "peer" {"pid", "uid"}, or {"page"} from control/dashboard. Calls with
// "wait_ms" may wait for an event; each occupies a thread, so their number is limited.
#include <httplib.h>

#include "control/api/cut_off.hpp"
#include "control/api/fd_stream.hpp"
#include "control/api/live_feed.hpp"
#include "control/api/live_request.hpp"
#include "control/api/seats.hpp"
#include "control/api/verb_answer.hpp"
#include "control/daemon.hpp"

namespace gray::control {

/// Serves one connection at a time; it belongs to one thread.
class AdminApi : private httplib::Server {
 public:
  /// `cut_off`, `seats` and `feed` are shared and must outlive this. `feed`: null: there is no live feed.
  AdminApi(Daemon& daemon, const CutOff& cut_off, Seats& seats, LiveFeed* feed = nullptr);
  /// Reads one request, which begins with the bytes `received`, and answers it. The connection is borrowed.
  void serve(int connection, std::string received = {});

 private:
  void answer_verb(const httplib::Request& request, httplib::Response& response);
  void answer_metrics(httplib::Response& response);

  const CutOff& cut_off_;
  VerbAnswer verbs_;
  LiveRequest live_;
  const FdStream* peer_ = nullptr;  // of the request being served
};

}  // namespace gray::control
