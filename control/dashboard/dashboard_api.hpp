#pragma once
// One request to the page: the page itself, the live feed, and the verbs of the admin API.
//
//   GET  /                    the page, for a client that takes it compressed by gzip
//   GET  /v1/live             the live feed
//   GET  /v1/VERB?name=value  verbs that change nothing, with the answers of the admin API
//   GET  /v1/why?request_id=ID  why that request got its version, from the access log
//   POST /v1/VERB             promote, shift, undo, rollout pause, resume, promote, abort and retry, if `writable`;
//                             needs Content-Type: application/json and X-Grayd: page
//
// Everything else is refused with a sentence. Each answer has the fields that keep a browser from misusing it.
#include <httplib.h>

#include <string>

#include "control/api/fd_stream.hpp"
#include "control/api/live_request.hpp"
#include "control/api/verb_answer.hpp"
#include "control/daemon.hpp"
#include "control/dashboard/log_searches.hpp"
#include "control/dashboard/page_files.hpp"

namespace gray::control {

/// Serves one connection at a time; it belongs to one thread.
class DashboardApi : private httplib::Server {
 public:
  static constexpr std::size_t kBodyBytes = 16 << 10;
  static constexpr std::size_t kRequestBytes = 2 * kBodyBytes;  // head and body

  struct Shared {  // by all connections; outlives them
    Daemon& daemon;
    LiveFeed& feed;
    Seats& seats;
    LogSearches& searches;
    const PageFiles& page;
    bool writable;
  };

  /// `address`: of the client, an IP.
  DashboardApi(const Shared& shared, const CutOff& cut_off, FdStream& client, std::string address);
  void serve(int connection);

 private:
  /// Whether the request was refused.
  bool refused(const httplib::Request& request, httplib::Response& response) const;
  void answer_page(const httplib::Request& request, httplib::Response& response) const;
  void answer_question(const httplib::Request& request, httplib::Response& response);
  /// Reads the access log, which grayd names.
  void answer_logged(const nlohmann::json& args, httplib::Response& response);
  void answer_change(const httplib::Request& request, httplib::Response& response);
  void explain(const httplib::Request& request, httplib::Response& response) const;

  const Shared& shared_;
  const CutOff& cut_off_;
  FdStream& client_;
  const std::string address_;
  VerbAnswer verbs_;
  LiveRequest live_;
  bool takes_gzip_ = false;
};

}  // namespace gray::control
