#include "grayd/warning_log.hpp"

#include <utility>

#include "config/base/log.hpp"

namespace gray::master {

void WarningLog::update(const std::vector<control::Warning>& now) {
  std::set<std::string> before = std::exchange(known_, {});
  for (const control::Warning& warning : now) {
    if (!known_.insert(warning.name()).second || before.contains(warning.name())) continue;
    EventRecord event;
    event.kind = EventKind::warning;
    event.service = warning.service;
    event.version = warning.version;
    event.cause = warning.cause;
    event.text = warning.text;
    const std::string about = warning.service.empty() ? "" : warning.service + " " + warning.version + ": ";
    log(LogLevel::warn, about + warning.text);
    events_.emit(std::move(event));
  }
}

}  // namespace gray::master
