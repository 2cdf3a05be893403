#include "control/grayctl/top/viewer.hpp"

#include <fmt/format.h>

#include "control/grayctl/status_view.hpp"
#include "control/live/figures.hpp"
#include "control/live/figures_json.hpp"
#include "control/live/json_read.hpp"

namespace gray::control {
namespace {

/// Events and output of other services are left out, too.
void keep_service(TopView& view, const std::string& name) {
  std::erase_if(view.versions, [&](const VersionFigures& its) { return its.service != name; });
  std::erase_if(view.services, [&](const ServiceFigures& its) { return its.name != name; });
  view.event = view.services.empty() ? std::string() : view.services.front().event;
  view.line = view.services.empty() ? std::string() : view.services.front().line;
}

}  // namespace

Answer Viewer::take_picture(nlohmann::json picture, TimePoint now) {
  const nlohmann::json& figures = json_read::part(picture, "figures");
  if (!figures.is_object() || !json_read::part(picture, "status").is_object()) {
    take_failure("what it sent is not a picture of grayd", now);
    return {.code = ExitCode::failed, .body = {}, .error = error_};
  }
  view_ = figures_in(figures);
  time_ = json_read::word(figures, "time");
  if (!service_.empty()) {
    keep_service(view_, service_);
    if (std::string error; !seen_ && !keep_only(picture["status"], service_, error))
      return {.code = ExitCode::usage, .body = {}, .error = error};
  }
  silent_since_.reset();
  error_.clear();
  seen_ = true;
  return {};
}

void Viewer::take_failure(const std::string& error, TimePoint now) {
  if (!silent_since_) silent_since_ = now;
  error_ = error;
}

TopView Viewer::view(TimePoint now) const {
  TopView view = view_;
  if (silent_since_)
    view.trouble = fmt::format("no answer for {}, retrying: {}",
                               elapsed(std::chrono::duration<double>(now - *silent_since_).count()), error_);
  return view;
}

}  // namespace gray::control
