#pragma once
// Logs warnings and emits their events: each once, when it begins; again only if it was gone meanwhile.
#include <set>
#include <string>
#include <vector>

#include "config/shared/event_record.hpp"
#include "control/report/warnings.hpp"

namespace gray::master {

class WarningLog {
 public:
  explicit WarningLog(EventSink& events) : events_(events) {}

  /// All that are there now.
  void update(const std::vector<control::Warning>& now);

  template <class Io>
  void archive(Io& io) {
    io("known", known_);
  }

 private:
  EventSink& events_;
  std::set<std::string> known_;
};

}  // namespace gray::master
