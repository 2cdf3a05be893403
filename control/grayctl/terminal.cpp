#include "control/grayctl/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace gray::control {
namespace {

constexpr std::size_t kNarrowest = 40;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::size_t width_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  int columns = std::atoi(environment("COLUMNS").c_str());
  return columns > 0 ? static_cast<std::size_t>(columns) : Terminal{}.width;
}

}  // namespace

Terminal terminal_of(int fd) {
  bool colour = ::isatty(fd) == 1 && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  return {.width = std::max(width_of(fd), kNarrowest), .colour = colour};
}

Person person_at(int in, int err, std::istream& answers) {
  const bool terminal = ::isatty(err) == 1;
  return {.width = std::max(width_of(err), kNarrowest),
          .watches = terminal && environment("TERM") != "dumb",
          .answers = terminal && ::isatty(in) == 1 ? &answers : nullptr};
}

}  // namespace gray::control
