#pragma once
// One request of the admin API: its verb and arguments, and the reply of the Daemon as HTTP.
//
//   GET  /v1/VERB?name=value   POST /v1/VERB with a JSON object     200 and the reply's body, or
//                                                                   {"schema_version", "exit_code", "error"} with a 4xx
//                                                                   or 5xx
//   GET  /metrics              Prometheus text                      GET /healthz   "ok": this thread answers
//
// The argument "timeout_ms" (1..120000, 10000 if absent) bounds the wait for the Daemon. A verb that changes something
// gets the process of the caller as the argument "peer" {"pid", "uid"}. Calls with "wait_ms" may wait for an event;
// each occupies a thread, so their number is limited.
#include <httplib.h>

#include <atomic>

#include "control/api/cut_off.hpp"
#include "control/api/fd_stream.hpp"
#include "control/daemon.hpp"

namespace gray::control {

/// The number of callers that may wait at the same time. Shared by all threads of the server.
class Seats {
 public:
  explicit Seats(int count) : free_(count) {}
  /// Holds a seat until it is destroyed; false if none was free.
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
  /// `cut_off` and `seats` are shared and must outlive this.
  AdminApi(Daemon& daemon, const CutOff& cut_off, Seats& seats);
  /// Reads one request, which begins with the bytes `received`, and answers it. The connection is borrowed.
  void serve(int connection, std::string received = {});

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
