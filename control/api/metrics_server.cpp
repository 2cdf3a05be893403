// Model: cpp-httplib parses, and the only handler answers before a body would be read. Each connection has its own
// server object, because the library does not pass the connection to the handler.
#include "control/api/metrics_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "control/api/fd_stream.hpp"

namespace gray::control {
namespace {

/// One byte more than a head may have: a client that has sent it has sent too much.
constexpr std::size_t kHeadRoom = MetricsServer::kHead + 1;
constexpr Duration kServeTime{1'000};  // with all threads busy, a client that has been served for longer is cut

constexpr const char* kTooLong = "the request head is longer than 4 KiB";
constexpr const char* kNothingElse = "only GET /metrics is available here";

void refuse(httplib::Response& response, int status, std::string_view why) {
  response.status = status;
  response.set_content(fmt::format("{}\n", why), "text/plain");
}

/// Every answer is the complete text without compression: clients must not choose its cost.
void keep_plain(httplib::Request& request) {
  request.ranges.clear();
  request.headers.erase("Accept-Encoding");
}

class MetricsApi : private httplib::Server {
 public:
  MetricsApi(SharedMetrics& metrics, FdStream& client) : metrics_(metrics), client_(client) {
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
      return HandlerResponse::Handled;
    });
    set_error_handler(Handler([this](const httplib::Request&, httplib::Response& response) { explain(response); }));
    set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
      refuse(response, 500, "grayd could not answer");
    });
  }

  void serve() {
    bool closed = false;
    if (process_request(client_, true, closed, keep_plain) || !client_.full()) return;
    // A request line that does not end is the only case in which cpp-httplib gives no answer.
    const auto refusal = fmt::format(
        "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n"
        "Connection: close\r\n\r\n{}\n",
        std::string_view(kTooLong).size() + 1, kTooLong);
    client_.write(refusal.data(), refusal.size());
  }

 private:
  void answer(const httplib::Request& request, httplib::Response& response) {
    if (request.method != "GET" || request.path != "/metrics") return refuse(response, 404, kNothingElse);
    const auto metrics = metrics_.get();
    client_.wait_for(metrics->fd(), TimePoint::max());
    if (!metrics->ready()) return refuse(response, 500, "grayd is stopping");  // or the client is gone
    const Reply& reply = metrics->get();
    if (reply.code != ExitCode::ok) return refuse(response, 500, reply.error);
    response.set_content(reply.body.value("text", ""), "text/plain; version=0.0.4");
  }

  /// Requests that cpp-httplib refused itself.
  void explain(httplib::Response& response) {
    if (!response.body.empty()) return;
    client_.full() ? refuse(response, 431, kTooLong) : refuse(response, 404, kNothingElse);
  }

  SharedMetrics& metrics_;
  FdStream& client_;
};

}  // namespace

std::shared_ptr<const PendingReply> SharedMetrics::get() {
  std::lock_guard guard(mutex_);
  if (!last_ || (last_->ready() && Clock::now() - last_->came_at() >= kFresh))
    last_ = std::make_shared<const PendingReply>(daemon_, "metrics", nlohmann::json::object());
  return last_;
}

MetricsServer::MetricsServer(int listener, Daemon& daemon, std::function<void()> ended, Duration timeout)
    : metrics_(daemon),
      server_(
          listener,
          {.threads = kClients,
           .oldest_makes_room = kServeTime,
           .arrivals = {.bytes = kHeadRoom, .first_byte = std::min(timeout, Arrivals::Limits{}.first_byte)}},
          arrival_of_head,
          [this, timeout](int connection, std::string received, const CutOff& cut_off) {
            FdStream client(connection, cut_off, {.request_bytes = kHeadRoom, .end = Clock::now() + timeout},
                            std::move(received));
            MetricsApi(metrics_, client).serve();
          },
          std::move(ended)) {}

MetricsServer::~MetricsServer() {
  server_.end();
  server_.cut();
}

}  // namespace gray::control
