#pragma once
// One request of the admin API: which verb with which arguments, and what the Daemon's reply looks like in HTTP.
//
//   GET  /v1/VERB?name=value   POST /v1/VERB with a JSON object     200 and the reply's body, or
//                                                                   {"schema_version", "exit_code", "error"} with a 4xx
//                                                                   or 5xx
//   GET  /metrics              Prometheus text                      GET /healthz   "ok": this thread answers, no more
//
// The argument "timeout_ms" (1..120000, 10000 if absent) bounds the wait for the Daemon.
#include <httplib.h>

#include <atomic>
#include <optional>

#include "config/time.hpp"
#include "control/daemon.hpp"
#include "control/fd_stream.hpp"

namespace gray::control {

/// When waiting calls are cut because the server ends. Shared by all threads of the server.
class CutOff {
 public:
  void set(TimePoint when) { when_ = when.time_since_epoch(); }
  TimePoint get() const { return TimePoint(when_.load()); }

 private:
  std::atomic<TimePoint::duration> when_{TimePoint::duration::max()};
};

/// Serves one connection at a time; each thread of the server has its own.
class AdminApi : private httplib::Server {
 public:
  AdminApi(Daemon& daemon, const CutOff& cut_off);
  /// Reads one request, answers it, closes the connection. Owns `connection`.
  void serve(UniqueFd connection);

 private:
  void answer_verb(const httplib::Request& request, httplib::Response& response);
  void answer_metrics(httplib::Response& response);
  /// Asks the Daemon and waits for its reply, within args.timeout_ms.
  Reply ask(std::string verb, nlohmann::json args);

  Daemon& daemon_;
  const CutOff& cut_off_;
  const FdStream* peer_ = nullptr;  // of the request being served
};

}  // namespace gray::control
