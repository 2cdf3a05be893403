#pragma once
// One request of the admin API: which verb with which arguments, and what the Daemon's reply looks like in HTTP.
//
//   GET  /v1/VERB?name=value   POST /v1/VERB with a JSON object     200 and the reply's body, or
//                                                                   {"schema_version", "exit_code", "error"} with a 4xx
//                                                                   or 5xx
//   GET  /metrics              Prometheus text                      GET /healthz   "ok": this thread answers, no more
//
// The argument "timeout_ms" (1..120000, 10000 if absent) bounds the wait for the Daemon. A verb that changes something
// is handed the caller's process as the argument "peer" {"pid", "uid"}. Calls with "wait_ms" may wait for something to
// happen; each keeps a thread, so only some of them are let in.
#include <httplib.h>

#include <atomic>

#include "control/api/cut_off.hpp"
#include "control/api/fd_stream.hpp"
#include "control/daemon.hpp"

namespace gray::control {

/// Callers who may wait at once. Shared by all threads of the server.
class Seats {
 public:
  explicit Seats(int count) : free_(count) {}
  /// A seat until it is destroyed; false if none was free.
  class Taken {
   public:
    explicit Taken(Seats& seats) : seats_(seats), taken_(seats.free_.fetch_sub(1) > 0) {}
    ~Taken() { seats_.free_.fetch_add(1); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    explicit operator bool() const { return taken_; }

   private:
    Seats& seats_;
    bool taken_;
  };

 private:
  std::atomic<int> free_;
};

/// Serves one connection at a time; it belongs to one thread.
class AdminApi : private httplib::Server {
 public:
  /// Those who share `cut_off` and `seats` outlive this.
  AdminApi(Daemon& daemon, const CutOff& cut_off, Seats& seats);
  /// Reads one request, answers it, and is done with the connection, which is borrowed.
  void serve(int connection);

 private:
  void answer_verb(const httplib::Request& request, httplib::Response& response);
  void answer_waiting(const std::string& verb, nlohmann::json args, httplib::Response& response);
  void answer_metrics(httplib::Response& response);
  /// Asks the Daemon and waits for its reply, within args.timeout_ms.
  Reply ask(std::string verb, nlohmann::json args);

  Daemon& daemon_;
  const CutOff& cut_off_;
  Seats& seats_;
  const FdStream* peer_ = nullptr;  // of the request being served
};

}  // namespace gray::control
