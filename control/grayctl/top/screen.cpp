#include "control/grayctl/top/screen.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace gray::control {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";  // second page, no cursor, no wrapping
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

constexpr std::size_t kPiece = 256;   // a terminal that is ready has room for so many bytes
constexpr int kLeaveTimeoutMs = 500;  // the longest wait of leave() for a terminal that takes nothing

/// Writes `text`, unless a signal comes first: a terminal may take nothing for any time. False: it is gone.
bool write_all(int fd, std::string_view text, int signals, int timeout_ms) {
  while (!text.empty()) {
    std::array<pollfd, 2> ready{{{fd, POLLOUT, 0}, {signals, POLLIN, 0}}};
    const int count = ::poll(ready.data(), ready.size(), timeout_ms);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || ready[1].revents != 0) return true;
    const ssize_t written = ::write(fd, text.data(), std::min(text.size(), kPiece));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

sigset_t handled_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) ::sigaddset(&set, number);
  return set;
}

}  // namespace

Screen::Screen(int in, int out) : in_(in), out_(out) {
  const sigset_t handled = handled_signals();
  ::sigprocmask(SIG_BLOCK, &handled, &mask_before_);
  signals_ = UniqueFd(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
  enter();
}

Screen::~Screen() {
  leave();
  ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Screen::enter() {
  has_keys_ = ::isatty(in_) == 1 && ::tcgetattr(in_, &before_) == 0;
  if (has_keys_) {
    termios quiet = before_;
    quiet.c_iflag &= ~static_cast<tcflag_t>(IXON);  // Ctrl-S would stop the frames
    quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    (void)::tcsetattr(in_, TCSANOW, &quiet);
  }
  (void)write_all(out_, kEnter, -1, kLeaveTimeoutMs);
}

void Screen::leave() {
  (void)write_all(out_, kLeave, -1, kLeaveTimeoutMs);
  if (has_keys_) (void)::tcsetattr(in_, TCSANOW, &before_);
}

bool Screen::draw(const std::vector<std::string>& lines, bool clear) {
  std::string text = clear ? "\x1b[2J\x1b[H" : "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) text += (i == 0 ? "" : "\r\n") + lines[i] + "\x1b[K";
  return write_all(out_, text + "\x1b[J", signals_.get(), -1);
}

void Screen::take_signals(Input& input) {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGWINCH) {
      input.resized = true;
    } else if (signal.ssi_signo == SIGTSTP) {
      leave();
      (void)::raise(SIGSTOP);  // goes on here when the shell continues it
      enter();
      input.resized = true;
    } else {
      input.ended_by = static_cast<int>(signal.ssi_signo);
    }
  }
}

Screen::Input Screen::wait(Duration time, int event) {
  Input input;
  std::array<pollfd, 3> ready{{{signals_.get(), POLLIN, 0}, {has_keys_ ? in_ : -1, POLLIN, 0}, {event, POLLIN, 0}}};
  if (::poll(ready.data(), ready.size(), static_cast<int>(std::max<Duration::rep>(time.count(), 0))) <= 0) return input;
  take_signals(input);
  if (ready[1].revents == 0) return input;
  std::array<char, 256> bytes;
  const ssize_t count = ::read(in_, bytes.data(), bytes.size());
  if (count > 0) input.keys.assign(bytes.data(), static_cast<std::size_t>(count));
  input.gone = count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN);
  return input;
}

}  // namespace gray::control
