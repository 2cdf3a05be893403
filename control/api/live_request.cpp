#include "control/api/live_request.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <utility>

#include "control/api/verb_answer.hpp"

namespace gray::control {

void LiveRequest::answer(const httplib::Request& request, httplib::Response& response) {
  auto place = feed_->take(entrance_);
  if (!place) {
    write_reply(refusal(ExitCode::conflict,
                        feed_->ending() ? "grayd is stopping; connect again"
                                        : fmt::format("{} watchers are connected already, the most that are allowed; "
                                                      "close one of them, and connect again",
                                                      LiveFeed::kWatchers)),
                response);
    response.status = 503;
    return response.set_header("Retry-After", "2");
  }
  response.headers.erase("Cache-Control");
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Accel-Buffering", "no");
  response.set_content_provider("text/event-stream", [](std::size_t, httplib::DataSink& sink) {
    sink.done();
    return true;
  });
  if (request.method == "GET") place_ = std::move(place);
}

void LiveRequest::hand_over(int connection) {
  if (!place_) return;
  UniqueFd copy(::fcntl(connection, F_DUPFD_CLOEXEC, 0));
  if (copy) feed_->add(std::move(copy), std::move(place_));
  place_.reset();
}

}  // namespace gray::control
