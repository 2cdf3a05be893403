#include "grayd/own_files.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "config/base/log.hpp"

namespace gray::master {
namespace {

bool is_missing(const std::string& path) {
  struct stat facts{};
  return ::lstat(path.c_str(), &facts) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

EventRecord event_about(EventKind kind, std::string cause, std::string text) {
  EventRecord event;
  event.kind = kind;
  event.pid = ::getpid();
  event.cause = std::move(cause);
  event.text = std::move(text);
  return event;
}

}  // namespace

void OwnFiles::watch() {
  for (const File& file : files_()) look(file);
  timer_.expires_at(next_tick(Clock::now(), kLook));
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) watch();
  }));
}

void OwnFiles::look(const File& file) {
  if (!is_missing(file.path)) return void(reported_.erase(file.path));
  const auto found = fmt::format("the file of {}, {}, was removed by a different program", file.what, file.path);
  try {
    file.make();
    reported_.erase(file.path);
    log(LogLevel::warn, found + "; it was made again");
    events_.emit(event_about(EventKind::file_restored, file.what, found + "; it was made again"));
  } catch (const std::runtime_error& error) {
    if (!reported_.insert(file.path).second) return;
    log(LogLevel::error, fmt::format("{}: {}", found, error.what()));
    events_.emit(event_about(EventKind::file_missing, file.what, fmt::format("{}: {}", found, error.what())));
  }
}

}  // namespace gray::master
