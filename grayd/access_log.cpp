#include "grayd/access_log.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "config/base/log.hpp"
#include "control/report/metrics.hpp"

namespace gray::master {

std::optional<EventRecord> AccessLogWatch::look(std::uint64_t lost, const std::string& path, TimePoint now) {
  if (lost == seen_) return std::nullopt;
  const bool reported = last_loss_ && now - *last_loss_ < kQuiet;
  EventRecord event;
  event.kind = EventKind::access_log_failed;
  event.cause = "lines-lost";
  event.text = fmt::format(
      "cannot write all lines to {} ({} lost so far, see grayd_access_log_lost_lines_total); check its disk", path,
      lost);
  seen_ = lost;
  last_loss_ = now;
  return reported ? std::nullopt : std::optional(std::move(event));
}

void AccessLog::renew() {
  auto fresh = open_access_log(to_.settings.access_log);
  to_.routers.reopen(fresh.get());
  to_.holdings.access_log = std::move(fresh);
}

void AccessLog::reopen() {
  if (to_.settings.access_log.empty()) return;
  EventRecord event;
  event.pid = ::getpid();
  try {
    renew();
    event.kind = EventKind::access_log_reopened;
    event.text = to_.settings.access_log;
  } catch (const std::runtime_error& error) {
    event.kind = EventKind::access_log_failed;
    event.cause = "reopen";
    event.text = fmt::format("the old access log stays open: {}", error.what());
    log(LogLevel::error, event.text);
  }
  to_.events.emit(std::move(event));
}

void AccessLog::watch() {
  const auto lost = control::log_lines_lost(*to_.holdings.segment);
  if (auto event = watch_.look(lost, to_.settings.access_log, Clock::now())) {
    log(LogLevel::warn, event->text);
    to_.events.emit(std::move(*event));
  }
  glance_.expires_at(next_tick(Clock::now(), AccessLogWatch::kGlance));
  glance_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) watch();
  }));
}

UniqueFd open_access_log(const std::string& path) {
  if (path.empty()) return {};
  std::error_code ignored;  // what matters is whether the file can be opened
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd) {
    const auto* const why = errno == ELOOP ? "it is a symbolic link, which is not followed" : std::strerror(errno);
    throw std::runtime_error(
        fmt::format("cannot open the access log {}: {}; correct access_log, or set it to \"off\"", path, why));
  }
  return fd;
}

}  // namespace gray::master
