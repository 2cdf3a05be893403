#include "control/grayctl/why/line_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gray::control {
namespace {

constexpr std::size_t kRead = 256 * 1024;

}  // namespace

LineFile::LineFile(std::string name) : name_(std::move(name)) {
  if (name_ != "-") own_ = UniqueFd(::open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  fd_ = name_ == "-" ? STDIN_FILENO : own_.get();
  if (fd_ < 0) error_ = fmt::format("cannot read {}: {}", name_, std::strerror(errno));
}

bool LineFile::next(std::string_view& line) {
  cut_ = false;
  const std::size_t end = end_of_line();
  if (!error_.empty() || (end == std::string::npos && begin_ == buffer_.size())) return false;
  ++number_;
  if (end == std::string::npos && !over_) {
    line = cut_line();
    return error_.empty();
  }
  line = std::string_view(buffer_).substr(begin_, end == std::string::npos ? end : end - begin_);
  begin_ = end == std::string::npos ? buffer_.size() : end + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

/// Where the line that begins at `begin_` ends; npos: at the end of the file, or it is too long.
std::size_t LineFile::end_of_line() {
  std::size_t end = buffer_.find('\n', begin_);
  while (end == std::string::npos && !over_ && error_.empty() && buffer_.size() - begin_ <= kMostLine) {
    const std::size_t searched = buffer_.size() - begin_;
    fill();
    end = buffer_.find('\n', searched);
  }
  return end != std::string::npos && end - begin_ > kMostLine ? std::string::npos : end;
}

/// Skips the rest of the line.
std::string_view LineFile::cut_line() {
  cut_ = true;
  long_ = buffer_.substr(begin_, kMostLine);
  std::size_t end = buffer_.find('\n', begin_);
  while (end == std::string::npos && !over_ && error_.empty()) {
    begin_ = buffer_.size();
    fill();
    end = buffer_.find('\n', begin_);
  }
  begin_ = end == std::string::npos ? buffer_.size() : end + 1;
  return long_;
}

/// Moves what is left to the front and reads more behind it.
void LineFile::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t have = buffer_.size();
  buffer_.resize(have + kRead);
  ssize_t got;
  do {
    got = ::read(fd_, buffer_.data() + have, kRead);
  } while (got < 0 && errno == EINTR);
  if (got < 0) error_ = fmt::format("cannot read {}: {}", name_, std::strerror(errno));
  buffer_.resize(have + static_cast<std::size_t>(got > 0 ? got : 0));
  over_ = got == 0;
}

}  // namespace gray::control
