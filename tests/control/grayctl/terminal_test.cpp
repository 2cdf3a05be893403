#include "control/grayctl/terminal.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "config/base/unique_fd.hpp"

using namespace gray;
using namespace gray::control;

namespace {

/// An environment variable that is set, or unset (nullptr), for the life of this object.
struct Variable {
  Variable(const char* name_, const char* value) : name(name_) {
    if (const char* old = std::getenv(name)) before = old, was_set = true;
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Variable() { was_set ? ::setenv(name, before.c_str(), 1) : ::unsetenv(name); }
  const char* name;
  std::string before;
  bool was_set = false;
};

struct Pty {
  explicit Pty(unsigned short columns) {
    int a, b;
    winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(::openpty(&a, &b, nullptr, nullptr, &size) == 0);
    master.reset(a);
    slave.reset(b);
  }
  UniqueFd master, slave;
};

}  // namespace

TEST_CASE("a terminal has its width and colours") {
  Variable no_color("NO_COLOR", nullptr), term("TERM", "xterm"), columns("COLUMNS", "99");
  Terminal terminal = terminal_of(Pty(123).slave.get());
  CHECK(terminal.width == 123);
  CHECK(terminal.colour);
}

TEST_CASE("NO_COLOR and a dumb terminal switch colours off") {
  Pty pty(80);
  {
    Variable no_color("NO_COLOR", "1"), term("TERM", "xterm");
    CHECK_FALSE(terminal_of(pty.slave.get()).colour);
  }
  Variable no_color("NO_COLOR", nullptr), term("TERM", "dumb");
  CHECK_FALSE(terminal_of(pty.slave.get()).colour);
}

TEST_CASE("a pipe has no colours, and its width is COLUMNS, else 80, never below 40") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd in(ends[0]), out(ends[1]);
  auto width = [&](const char* value) {
    Variable columns("COLUMNS", value);
    CHECK_FALSE(terminal_of(out.get()).colour);
    return terminal_of(out.get()).width;
  };
  CHECK(width(nullptr) == 80);
  CHECK(width("132") == 132);
  CHECK(width("wide") == 80);
  CHECK(width("-3") == 80);
  CHECK(width("7") == 40);
}

TEST_CASE("questions are asked if stdin and stderr are terminals; on a dumb one no line is rewritten") {
  Pty pty(70);
  Variable term("TERM", "xterm");
  std::istringstream answers;
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  Person person = person_at(pty.slave.get(), pty.slave.get(), answers);
  CHECK(person.width == 70);
  CHECK(person.watches);
  CHECK(person.answers == &answers);
  CHECK(person_at(null.get(), pty.slave.get(), answers).answers == nullptr);
  CHECK(person_at(pty.slave.get(), null.get(), answers).answers == nullptr);
  CHECK_FALSE(person_at(pty.slave.get(), null.get(), answers).watches);
  Variable dumb("TERM", "dumb");
  CHECK_FALSE(person_at(pty.slave.get(), pty.slave.get(), answers).watches);
}
