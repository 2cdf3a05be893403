#pragma once
// What one `grayctl top` knows: the last picture of grayd, of one service or of all, and since when none came. Pure:
// times are passed in.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "control/grayctl/client.hpp"
#include "control/live/live_figures.hpp"

namespace gray::control {

class Viewer {
 public:
  /// `service`: only this one; empty: all.
  explicit Viewer(std::string service = {}) : service_(std::move(service)) {}

  /// Not ok: the first picture has no such service, or it is not a picture.
  Answer take_picture(nlohmann::json picture, TimePoint now);
  /// grayd sends nothing. The next picture ends it.
  void take_failure(const std::string& error, TimePoint now);

  bool has_picture() const { return seen_; }
  bool silent() const { return silent_since_.has_value(); }
  /// Of the last picture: "2026-11-30T12:00:00Z".
  const std::string& time() const { return time_; }
  /// The figures of the last picture, and the trouble until the next.
  TopView view(TimePoint now) const;

 private:
  std::string service_, time_, error_;
  TopView view_;
  std::optional<TimePoint> silent_since_;
  bool seen_ = false;
};

}  // namespace gray::control
