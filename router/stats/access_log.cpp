#include "router/stats/access_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gray::stats {
namespace {

ssize_t write_some(int fd, const char* data, std::size_t size) {
  ssize_t written;
  do {
    written = ::write(fd, data, size);
  } while (written < 0 && errno == EINTR);
  return written;
}

}  // namespace

AccessLog::AccessLog(UniqueFd fd, Duration interval)
    : fd_(std::move(fd)), interval_(interval), buffer_(std::make_unique<char[]>(kAccessBuffer)) {}

void AccessLog::append(std::string_view line, TimePoint now) {
  char* line_start = room(line.size());
  if (line_start == nullptr) return;
  std::memcpy(line_start, line.data(), line.size());
  added(line.size(), now);
}

char* AccessLog::room(std::size_t bytes) {
  if (!enabled()) return nullptr;
  if (bytes <= kAccessBuffer - used_) return buffer_.get() + used_;
  ++dropped_;
  return nullptr;
}

void AccessLog::added(std::size_t bytes, TimePoint now) {
  if (used_ == 0) deadline_ = now + interval_;
  used_ += bytes;
  if (used_ >= kAccessBuffer / 2 && !blocked_) flush(now);
}

void AccessLog::on_time(TimePoint now) {
  if (used_ > 0 && now >= deadline_) flush(now);
}

void AccessLog::flush(TimePoint now) {
  blocked_ = false;
  while (used_ > 0) {
    const ssize_t written = write_some(fd_.get(), buffer_.get(), used_);
    if (written > 0) {
      consume(static_cast<std::size_t>(written));
      continue;
    }
    deadline_ = now + interval_;
    blocked_ = written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (!blocked_) drop_whole_lines();
    return;
  }
}

std::optional<TimePoint> AccessLog::next_deadline() const {
  if (used_ == 0) return std::nullopt;
  return deadline_;
}

void AccessLog::reopen(UniqueFd fd, TimePoint now) {
  if (enabled()) flush(now);
  if (cut_ > 0) {
    ++dropped_;
    consume(cut_);
  }
  fd_ = std::move(fd);
  blocked_ = false;
  if (!enabled()) drop_whole_lines();
}

/// Takes `bytes` off the front, and computes how much of a cut line is left in front.
void AccessLog::consume(std::size_t bytes) {
  const bool between_lines = buffer_[bytes - 1] == '\n';
  used_ -= bytes;
  std::memmove(buffer_.get(), buffer_.get() + bytes, used_);
  const char* end = between_lines ? nullptr : static_cast<const char*>(std::memchr(buffer_.get(), '\n', used_));
  cut_ = end ? static_cast<std::size_t>(end - buffer_.get()) + 1 : 0;
}

void AccessLog::drop_whole_lines() {
  dropped_ += static_cast<std::uint64_t>(std::count(buffer_.get() + cut_, buffer_.get() + used_, '\n'));
  used_ = cut_;
}

}  // namespace gray::stats
