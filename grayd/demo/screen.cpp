#include "grayd/demo/screen.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace gray::demo {
namespace {

constexpr std::size_t kStamp = 7, kNarrowest = 40, kUsual = 80, kUnlimited = 1'000;

bool redraws_at(int fd) {
  const char* const term = std::getenv("TERM");
  return ::isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

std::string clock_text(Duration since_start) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_start).count();
  return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

Screen::Screen() : redraws_(redraws_at(STDOUT_FILENO)) {}

std::string Screen::stamped(const std::string& line) const {
  return fmt::format("{:>5}  {}", clock_text(std::chrono::duration_cast<Duration>(Clock::now() - start_)), line);
}

std::size_t Screen::width_of_live() const {
  if (!redraws_) return kUnlimited;
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return std::max<std::size_t>(known ? size.ws_col : kUsual, kNarrowest) - kStamp - 1;
}

void Screen::say(const std::string& line) {
  erase_live();
  write(stamped(line) + "\n");
}

void Screen::live(const std::string& line) {
  if (redraws_) return write("\r\033[K" + stamped(line));
  if (last_line_ != TimePoint{} && Clock::now() < last_line_ + kBetweenLines) return;
  last_line_ = Clock::now();
  write(stamped(line) + "\n");
}

void Screen::erase_live() {
  if (redraws_) write("\r\033[K");
}

void Screen::write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (std::fflush(stdout) != 0) is_read_ = false;
}

}  // namespace gray::demo
