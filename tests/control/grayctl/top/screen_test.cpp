#include "control/grayctl/top/screen.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace gray::control {
namespace {

/// A pseudo terminal: the test is the person, `slave` is what a program has.
struct PseudoTerminal {
  UniqueFd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
  UniqueFd slave;

  PseudoTerminal() {
    if (::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) throw std::runtime_error("pty");
    slave = UniqueFd(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  }
  termios settings() const {
    termios now{};
    CHECK(::tcgetattr(slave.get(), &now) == 0);
    return now;
  }
  void type(std::string_view keys) const {
    CHECK(::write(master.get(), keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }
  /// What was drawn until now.
  std::string drawn() const {
    std::string text(65'536, '\0');
    pollfd ready{master.get(), POLLIN, 0};
    const ssize_t count = ::poll(&ready, 1, 1'000) > 0 ? ::read(master.get(), text.data(), text.size()) : 0;
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }
};

}  // namespace

TEST_CASE("the terminal is as it was when the screen has ended") {
  const PseudoTerminal terminal;
  const termios before = terminal.settings();
  sigset_t mask;
  {
    Screen screen(terminal.slave.get(), terminal.slave.get());
    CHECK((terminal.settings().c_lflag & (ICANON | ECHO)) == 0);
    CHECK(terminal.drawn().starts_with("\x1b[?1049h\x1b[?25l"));
    ::sigprocmask(SIG_BLOCK, nullptr, &mask);
    CHECK(::sigismember(&mask, SIGTERM) == 1);
  }
  CHECK(terminal.settings().c_lflag == before.c_lflag);
  CHECK(terminal.settings().c_iflag == before.c_iflag);
  CHECK(terminal.drawn() == "\x1b[?7h\x1b[?25h\x1b[?1049l");
  ::sigprocmask(SIG_BLOCK, nullptr, &mask);
  CHECK(::sigismember(&mask, SIGTERM) == 0);
}

TEST_CASE("lines are drawn over the old ones, or over everything") {
  const PseudoTerminal terminal;
  Screen screen(terminal.slave.get(), terminal.slave.get());
  (void)terminal.drawn();
  CHECK(screen.draw({"a", "b"}, false));
  CHECK(terminal.drawn() == "\x1b[Ha\x1b[K\r\r\nb\x1b[K\x1b[J");
  CHECK(screen.draw({"a"}, true));
  CHECK(terminal.drawn() == "\x1b[2J\x1b[Ha\x1b[K\x1b[J");
}

TEST_CASE("keys and signals come from wait, which ends at its time without one") {
  const PseudoTerminal terminal;
  Screen screen(terminal.slave.get(), terminal.slave.get());
  const TimePoint begun = Clock::now();
  CHECK(screen.wait(Duration{20}).keys.empty());
  CHECK(Clock::now() - begun >= Duration{20});
  terminal.type("s\x1b[A");
  CHECK(screen.wait(Duration{10'000}).keys == "s\x1b[A");
  (void)::raise(SIGWINCH);
  CHECK(screen.wait(Duration{10'000}).resized);
  (void)::raise(SIGTERM);
  CHECK(screen.wait(Duration{10'000}).ended_by == SIGTERM);
}

TEST_CASE("a signal cuts off a frame that the terminal does not take") {
  const PseudoTerminal terminal;
  Screen screen(terminal.slave.get(), terminal.slave.get());
  (void)::raise(SIGINT);
  CHECK(screen.draw(std::vector<std::string>(2'000, std::string(100, 'x')), true));
  CHECK(screen.wait(Duration{10'000}).ended_by == SIGINT);
}

TEST_CASE("keys that are not from a terminal are not read, and a terminal that is gone is noticed") {
  PseudoTerminal terminal;
  {
    const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Screen screen(nothing.get(), terminal.slave.get());
    CHECK_FALSE(screen.wait(Duration{10}).gone);
  }
  Screen screen(terminal.slave.get(), terminal.slave.get());
  terminal.master.reset();
  CHECK(screen.wait(Duration{10'000}).gone);
  CHECK_FALSE(screen.draw({"a"}, false));
}

}  // namespace gray::control
