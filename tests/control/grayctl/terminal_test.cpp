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
  CHECK(terminal.height == 24);
  CHECK(terminal.colour);
  CHECK(terminal.redraws);
}

TEST_CASE("a terminal reads UTF-8 if its locale says so; what is not a terminal gets it anyway") {
  Variable all("LC_ALL", nullptr), ctype("LC_CTYPE", nullptr), lang("LANG", "de_CH.UTF-8");
  const Pty pty(80);
  CHECK(terminal_of(pty.slave.get()).utf8);
  {
    Variable sooner("LC_CTYPE", "C");
    CHECK_FALSE(terminal_of(pty.slave.get()).utf8);
    Variable first("LC_ALL", "C.utf8");
    CHECK(terminal_of(pty.slave.get()).utf8);
  }
  {
    Variable none("LANG", nullptr);
    CHECK_FALSE(terminal_of(pty.slave.get()).utf8);
    const UniqueFd file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    CHECK(terminal_of(file.get()).utf8);
  }
}

TEST_CASE("a terminal whose size has changed is measured again, an output without one is not") {
  Pty pty(123);
  const Terminal before = terminal_of(pty.slave.get());
  winsize size{.ws_row = 50, .ws_col = 90, .ws_xpixel = 0, .ws_ypixel = 0};
  REQUIRE(::ioctl(pty.slave.get(), TIOCSWINSZ, &size) == 0);
  CHECK(measured_again(before).width == 90);
  CHECK(measured_again(before).height == 50);
  CHECK(measured_again({.width = 77}).width == 77);
}

TEST_CASE("NO_COLOR and a dumb terminal switch colours off") {
  Pty pty(80);
  {
    Variable no_color("NO_COLOR", "1"), term("TERM", "xterm");
    CHECK_FALSE(terminal_of(pty.slave.get()).colour);
    CHECK(terminal_of(pty.slave.get()).redraws);
  }
  Variable no_color("NO_COLOR", nullptr), term("TERM", "dumb");
  CHECK_FALSE(terminal_of(pty.slave.get()).colour);
  CHECK_FALSE(terminal_of(pty.slave.get()).redraws);
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

TEST_CASE("lines are written over the old ones, and what is left of those is erased") {
  std::ostringstream out;
  RedrawnBlock block(out);
  block.show("one\ntwo\n", {});
  CHECK(out.str() == "one\x1b[K\ntwo\x1b[K\n\x1b[J");
  out.str("");
  block.show("three\n", {});
  CHECK(out.str() == "\x1b[2Athree\x1b[K\n\x1b[J");
  out.str("");
  block.erase();
  CHECK(out.str() == "\x1b[1A\x1b[J");
  out.str("");
  block.erase();
  CHECK(out.str().empty());
}

TEST_CASE("lines that do not fit the screen are left out") {
  std::ostringstream out;
  RedrawnBlock block(out);
  block.show("1\n2\n3\n", {.width = 80, .height = 4});
  CHECK(out.str().find("3\x1b[K") != std::string::npos);
  out.str("");
  block.show("1\n2\n3\n4\n5\n", {.width = 80, .height = 4});
  CHECK(out.str() == "\x1b[3A1\x1b[K\n2\x1b[K\n… 3 more lines\x1b[K\n\x1b[J");
  out.str("");
  block.show("1\n", {.width = 80, .height = 4});
  CHECK(out.str().starts_with("\x1b[3A"));
}

TEST_CASE("when the size has changed, the whole screen is cleared") {
  std::ostringstream out;
  RedrawnBlock block(out);
  block.show("one\n", {.width = 80, .height = 24});
  out.str("");
  block.show("one\n", {.width = 40, .height = 24});
  CHECK(out.str() == "\x1b[H\x1b[Jone\x1b[K\n\x1b[J");
}
