#include "control/grayctl/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <ostream>
#include <string>

namespace gray::control {
namespace {

constexpr std::size_t kNarrowest = 40;
constexpr const char* kToEndOfLine = "\x1b[K";
constexpr const char* kToEndOfScreen = "\x1b[J";
constexpr const char* kHome = "\x1b[H";

std::string up(std::size_t lines) { return lines == 0 ? "" : fmt::format("\x1b[{}A", lines); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::size_t height_of(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : Terminal{}.height;
}

std::size_t width_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  int columns = std::atoi(environment("COLUMNS").c_str());
  return columns > 0 ? static_cast<std::size_t>(columns) : Terminal{}.width;
}

/// By the locale that programs use for characters; none is "C", which is ASCII.
bool reads_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string locale = environment(name);
    if (locale.empty()) continue;
    for (char& c : locale) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

Terminal terminal_of(int fd) {
  const bool capable = ::isatty(fd) == 1 && environment("TERM") != "dumb";
  return {.width = std::max(width_of(fd), kNarrowest),
          .colour = capable && environment("NO_COLOR").empty(),
          .height = height_of(fd),
          .redraws = capable,
          .fd = fd,
          .utf8 = ::isatty(fd) != 1 || reads_utf8()};
}

Terminal measured_again(const Terminal& terminal) { return terminal.fd < 0 ? terminal : terminal_of(terminal.fd); }

Person person_at(int in, int err, std::istream& answers) {
  const bool terminal = ::isatty(err) == 1;
  return {.width = std::max(width_of(err), kNarrowest),
          .watches = terminal && environment("TERM") != "dumb",
          .answers = terminal && ::isatty(in) == 1 ? &answers : nullptr};
}

/// Each line is written over the old one, so nothing flickers.
void RedrawnBlock::show(std::string_view view, const Terminal& terminal) {
  const bool same_size = terminal.width == drawn_on_.width && terminal.height == drawn_on_.height;
  std::string text = lines_ == 0 || same_size ? up(lines_) : std::string(kHome) + kToEndOfScreen;
  const auto all = static_cast<std::size_t>(std::count(view.begin(), view.end(), '\n'));
  const std::size_t room = std::max<std::size_t>(terminal.height, 2) - 1;  // the cursor has the last line
  const std::size_t shown = all <= room ? all : room - 1;
  for (lines_ = 0; lines_ < shown; ++lines_) {
    const std::size_t end = view.find('\n');
    text.append(view.substr(0, end)).append(kToEndOfLine).append("\n");
    view.remove_prefix(end + 1);
  }
  if (shown < all) {
    text += fmt::format("… {} more lines{}\n", all - shown, kToEndOfLine);
    ++lines_;
  }
  drawn_on_ = terminal;
  out_ << text << kToEndOfScreen << std::flush;
}

void RedrawnBlock::erase() {
  if (lines_ > 0) out_ << up(lines_) << kToEndOfScreen << std::flush;
  lines_ = 0;
}

}  // namespace gray::control
